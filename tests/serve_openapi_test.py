"""The OpenAPI document against the running server: schemathesis makes requests of it, right ones and wrong ones, and no
answer may be a 5xx or differ from what the document says."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from serve_support import Server, venv

RIVAL = None
HERE = pathlib.Path(__file__).resolve().parent
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"


class Document(unittest.TestCase):
    def test_the_server_does_what_the_document_says(self):
        python = venv("schemathesis", "schemathesis==4.32.5")
        with tempfile.TemporaryDirectory() as folder:
            server = Server(RIVAL, "--context", "256", "--database", str(pathlib.Path(folder) / "kept.db"))
            try:
                run = subprocess.run(
                    [pathlib.Path(python).parent / "st", "run", server.url + "/openapi.json", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
                     "--max-examples", os.environ.get("RIVAL_OPENAPI_EXAMPLES", "4"), "--seed", "1", "--no-shrink", "--suppress-health-check", "all",
                     "--warnings", "off", "--continue-on-failure", "--no-color"],
                    cwd=folder, capture_output=True, text=True, env={**os.environ, "SCHEMATHESIS_HOOKS": "openapi_hooks", "PYTHONPATH": str(HERE)})
                status, _ = server.call("GET", "/health")
                self.assertEqual(status, 200)
            finally:
                server.stop()
        self.assertEqual(run.returncode, 0, run.stdout[-8000:] + run.stderr[-2000:])


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
