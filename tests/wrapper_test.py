"""The wrapper ./rival, on a toy project that builds in a second.

usage: wrapper_test.py PATH-OF-CHECKOUT [unittest arguments]
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

CHECKOUT = None

CMAKE = """cmake_minimum_required(VERSION 3.25)
project(toy LANGUAGES CXX)
add_executable(rival src/main.cc)
"""
MAIN = """#include <cstdio>
int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) std::puts(arguments[i]);
}
"""
PACKAGES = """# comment
[run]
no-such-package-a fedora-a arch-a brew-a  # the first thing
[test]
no-such-package-b fedora-b arch-b brew-b  # only for tests
"""


class Wrapper(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rival_wrapper_test_"))
        self.addCleanup(lambda: shutil.rmtree(self.folder, True))
        self.project = self.folder / "project"
        (self.project / "src").mkdir(parents=True)
        (self.project / "CMakeLists.txt").write_text(CMAKE)
        (self.project / "src/main.cc").write_text(MAIN)
        (self.project / "packages.txt").write_text(PACKAGES)
        shutil.copy(CHECKOUT / "rival", self.project / "rival")
        self.env = os.environ | {"RIVAL_SKIP_PACKAGES": "1"}

    def run_wrapper(self, *arguments, status=0, program=None, **env):
        done = subprocess.run([program or self.project / "rival", *arguments], env=self.env | env, cwd=self.folder, capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_builds_once_and_passes_arguments_on(self):
        first = self.run_wrapper("one two", "three")
        self.assertEqual(first.stdout, "one two\nthree\n")
        self.assertIn("building", first.stderr)
        self.assertEqual(self.run_wrapper("again").stderr, "")

    def test_up_to_date_it_adds_under_a_tenth_of_a_second(self):
        self.run_wrapper()
        seconds = []
        for _ in range(5):
            started = time.monotonic()
            self.run_wrapper()
            seconds.append(time.monotonic() - started)
        self.assertLess(min(seconds), 0.1)

    def test_a_change_is_built_and_an_error_is_shown(self):
        self.run_wrapper()
        time.sleep(0.02)
        main = self.project / "src/main.cc"
        main.write_text(MAIN.replace("arguments[i]", '"changed"'))
        self.assertEqual(self.run_wrapper("x").stdout, "changed\n")
        time.sleep(0.02)
        main.write_text("broken")
        failed = self.run_wrapper("x", status=1)
        self.assertIn("error", failed.stderr)
        self.assertEqual(failed.stdout, "")
        self.run_wrapper("x", status=1)
        main.write_text(MAIN)
        self.assertEqual(self.run_wrapper("x").stdout, "x\n")

    def test_heals_a_broken_build_folder(self):
        self.run_wrapper()
        for name, text in (("build.ninja", "garbage"), ("CMakeCache.txt", "garbage"), (".ninja_deps", "garbage"), (".ninja_log", "garbage"), ("rival", None)):
            path = self.project / "build" / name
            path.unlink(missing_ok=True)
            if text:
                path.write_text(text)
            (self.project / "build/.built").unlink(missing_ok=True)
            self.assertEqual(self.run_wrapper("x").stdout, "x\n", name)

    def test_heals_after_a_build_that_was_killed(self):
        (self.project / "src/main.cc").write_text(MAIN + "#include <regex>\nstd::regex slow(\"x\");\n")
        for wait in (0.1, 0.4, 0.8):
            process = subprocess.Popen([self.project / "rival", "x"], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(wait)
            os.killpg(process.pid, 9)
            process.wait()
        self.assertEqual(self.run_wrapper("x").stdout, "x\n")

    def test_a_checkout_that_moved(self):
        self.run_wrapper()
        moved = self.folder / "moved"
        self.project.rename(moved)
        (moved / "src/main.cc").touch()
        self.assertEqual(self.run_wrapper("x", program=moved / "rival").stdout, "x\n")

    def test_through_a_link(self):
        (self.folder / "link").symlink_to(self.project / "rival")
        self.assertEqual(self.run_wrapper("x", program=self.folder / "link").stdout, "x\n")

    def test_two_at_once(self):
        both = [subprocess.Popen([self.project / "rival", "x"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        outputs = [process.communicate(timeout=120) for process in both]
        self.assertEqual([o[0] for o in outputs], ["x\n"] * 3, outputs)
        self.assertEqual(sum("built build" in o[1] for o in outputs), 1)

    @unittest.skipUnless(pathlib.Path("/etc/debian_version").exists(), "apt is Debian's")
    def test_without_root_it_prints_the_command_and_stops(self):
        stubs = self.folder / "stubs"
        stubs.mkdir()
        (stubs / "id").write_text("#!/bin/sh\necho 1000\n")
        (stubs / "apt-get").write_text("#!/bin/sh\necho apt-get must not run >&2; exit 9\n")
        for stub in stubs.iterdir():
            stub.chmod(0o755)
        done = self.run_wrapper("x", status=1, RIVAL_SKIP_PACKAGES="", PATH="%s:%s" % (stubs, os.environ["PATH"]))
        self.assertIn("no-such-package-a", done.stderr)
        self.assertIn("the first thing", done.stderr)
        self.assertIn("sudo apt-get install -y --no-install-recommends no-such-package-a\n", done.stderr)
        self.assertNotIn("no-such-package-b", done.stderr)
        self.assertNotIn("must not run", done.stderr)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    CHECKOUT = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
