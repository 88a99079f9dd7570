"""`rival quantize` through the built program and the real default model: an importance matrix is measured on a text,
makes a low-bit file better on another text, and a bad one is refused.

usage: quantize_test.py PATH-OF-RIVAL [unittest arguments]
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

RIVAL = None
MODEL = "smollm2:135m"
ROOT = pathlib.Path(__file__).resolve().parent.parent


def rival(*arguments):
    return subprocess.run([RIVAL, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)


class Quantize(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pulled = rival("pull", MODEL)
        assert pulled.returncode == 0, pulled.stderr
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        cls.matrix = cls.path / "importance.gguf"
        text = cls.path / "text.txt"
        text.write_text("".join((ROOT / name).read_text() for name in ("README.md", "docs/grammars.md"))[:16000])
        measured = rival("quantize", "--calibrate", text, MODEL, "-o", cls.matrix, "--context", 256)
        assert measured.returncode == 0, measured.stderr

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def perplexity(self, model):
        out = rival("eval", "perplexity", model, ROOT / "ARCHITECTURE.md", "--context", 256, "--windows", 6, "--json")
        self.assertEqual(out.returncode, 0, out.stderr)
        return json.loads(out.stdout)["perplexity"]

    def quantized(self, name, *more):
        out = self.path / name
        done = rival("quantize", MODEL, out, "Q2_K", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.perplexity(out)

    def test_a_low_bit_file_gains(self):
        self.assertLess(self.quantized("with.gguf", "--importance", self.matrix), 0.97 * self.quantized("plain.gguf"))

    def test_a_bad_matrix_is_refused(self):
        cut = self.path / "cut.gguf"
        cut.write_bytes(self.matrix.read_bytes()[:-4096])
        for bad, why in ((cut, "cut.gguf"), (ROOT / "README.md", "README.md")):
            done = rival("quantize", MODEL, self.path / "out.gguf", "Q2_K", "--importance", bad)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(why, done.stderr)
            self.assertFalse((self.path / "out.gguf").exists())

    def test_flags_that_do_not_fit_together(self):
        for wrong in (["--calibrate", "x"], ["-o", "x"], ["out.gguf"], []):
            self.assertEqual(rival("quantize", MODEL, *wrong).returncode, 2, wrong)
        done = rival("quantize", MODEL, "--calibrate", self.path / "none.txt", "-o", self.path / "x.gguf")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.txt", done.stderr)


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
