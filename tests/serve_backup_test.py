"""`rival backup`: a copy of the running server's database, and what it says when there is none."""
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from serve_support import Server

RIVAL = None


class Backup(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.database = self.folder / "kept.db"

    def backup(self, *arguments):
        return subprocess.run([RIVAL, "backup", *map(str, arguments)], capture_output=True, text=True)

    def test_a_running_servers_database_is_copied(self):
        server = Server(RIVAL, "--database", self.database)
        copy = self.folder / "copy.db"
        try:
            for _ in range(2):
                run = self.backup(copy, "--database", self.database)
                self.assertEqual(run.returncode, 0, run.stderr)
        finally:
            server.stop()
        with sqlite3.connect(copy) as connection:
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertGreater(connection.execute("PRAGMA user_version").fetchone()[0], 0)
            self.assertEqual(connection.execute("SELECT count(*) FROM responses").fetchone(), (0,))
        self.assertEqual(sorted(os.listdir(self.folder)), ["copy.db", "kept.db", "kept.db-lock"])

    def test_what_cannot_be_copied_is_said(self):
        run = self.backup(self.folder / "copy.db", "--database", self.folder / "absent.db")
        self.assertEqual(run.returncode, 1)
        self.assertIn("absent.db", run.stderr)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_server_refuses_what_is_no_database_of_its_own(self):
        self.database.write_text("a letter, which nobody wants to lose, and which is longer than a hundred bytes so that it is read as a header")
        run = subprocess.run([RIVAL, "serve", "--port", "0", "--database", self.database], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 1)
        self.assertIn("kept.db", run.stderr)


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
