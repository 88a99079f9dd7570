"""The rules of the house as tests: what a file may include, and that documents name only what exists."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tracked(*suffixes):
    """Files of the tree, without what a build made: those git knows, or all where there is no git."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode == 0 and listing.stdout:
        names = listing.stdout.split("\n")
    else:
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
    return [n for n in names if n.endswith(suffixes) and not n.startswith("build") and (ROOT / n).is_file()]


def rooms_below():
    """Room -> the rooms that it links, directly or not. The link lines of CMakeLists.txt are the graph."""
    text = (ROOT / "CMakeLists.txt").read_text()
    direct = {}
    for name, links in re.findall(r"^rival_room\((\w+)\s+LINK([^)]*)\)", text, re.M):
        direct[name] = set(re.findall(r"rival_(\w+)", links))

    def closure(room):
        below = set()
        for other in direct[room]:
            below |= {other} | closure(other)
        return below

    return {room: closure(room) for room in direct}


class Includes(unittest.TestCase):
    def test_a_file_includes_its_own_room_and_lower_floors_only(self):
        below = rooms_below()
        self.assertIn("base", below)
        wrong = []
        for name in tracked(".h", ".cc", ".inl"):
            parts = pathlib.PurePath(name).parts
            if parts[0] != "src" or len(parts) < 3:
                continue
            room = parts[1]
            for included in re.findall(r'^#include "(\w+)/', (ROOT / name).read_text(), re.M):
                if included != room and included not in below[room]:
                    wrong.append(f"{name} includes {included}/")
        self.assertEqual(wrong, [])

    def test_command_line_library_stays_in_cmd(self):
        wrong = [n for n in tracked(".h", ".cc") if "<CLI/" in (ROOT / n).read_text() and not n.startswith("src/cmd/")]
        self.assertEqual(wrong, [])


class Documents(unittest.TestCase):
    def test_every_path_that_a_document_names_exists(self):
        wrong = []
        for name in tracked(".md"):
            for path in re.findall(r"`((?:src|tests|bench|fuzz|docs|tools|cmake|web)/[\w./-]*)`", (ROOT / name).read_text()):
                if not (ROOT / path).exists():
                    wrong.append(f"{name}: {path}")
        self.assertEqual(wrong, [])


class Sources(unittest.TestCase):
    # The tail is where a house goes wrong; see the measured numbers in the style guide of the best C++ projects.
    LINES_MAX = 700

    def test_no_file_grows_beyond_a_limit(self):
        long = [n for n in tracked(".h", ".cc", ".inl", ".py", ".ts", ".tsx")
                if len((ROOT / n).read_text().split("\n")) > self.LINES_MAX and "tables" not in n]
        self.assertEqual(long, [])

    def test_nothing_is_left_for_later(self):
        marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
        wrong = [n for n in tracked(".h", ".cc", ".inl", ".py", ".ts", ".tsx")
                 if marks.search((ROOT / n).read_text()) and n != "tests/house_test.py"]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
