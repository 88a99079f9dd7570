"""The examples of docs/serving.md, run as they stand but for the port."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from serve_support import Server, venv

GUIDE = pathlib.Path(__file__).parent.parent / "docs/serving.md"
ADDRESS = "http://127.0.0.1:8080"
PACKAGES = ("openai==3.57.0", "anthropic==2.13.0", "ollama==0.6.3", "langchain-openai==1.7.4", "langchain-core==1.8.3")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([RIVAL, "pull", "minilm:22m"], capture_output=True)
        cls.server = Server(RIVAL, "--context", "1024")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def run_block(self, command, text, **more):
        self.assertIn(ADDRESS, text)
        run = subprocess.run([*command, text.replace(ADDRESS, self.server.url)], capture_output=True, text=True, timeout=120, **more)
        self.assertEqual(run.returncode, 0, run.stderr[-2000:])
        self.assertTrue(run.stdout.strip(), text)
        return run.stdout

    def test_curl(self):
        if not shutil.which("curl"):
            self.skipTest("curl is not installed")
        self.assertEqual(len(blocks("sh")), 5)
        for block in blocks("sh"):
            answer = self.run_block(["sh", "-c"], block)
            self.assertNotIn('"error"', answer)
            if "json_schema" in block:
                self.assertIn("population", json.loads(json.loads(answer)["choices"][0]["message"]["content"]))

    def test_python(self):
        python = venv("clients", *PACKAGES)
        self.assertEqual(len(blocks("python")), 3)
        for block in blocks("python"):
            answer = self.run_block([python, "-W", "ignore", "-c"], block)
        self.assertEqual(answer.split(), ["2", "384"])

    def test_node(self):
        modules = pathlib.Path.home() / ".cache/rival/test-venvs/node-clients"
        if not shutil.which("node") or not (modules / "node_modules/openai").exists():
            self.skipTest("node or its package openai is not here; the tests of the clients fetch it")
        for block in blocks("js"):
            self.run_block(["node", "--input-type=module", "-e"], block, cwd=modules)

    def test_configuration(self):
        for block in blocks("json"):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write(block)
                file.flush()
                run = subprocess.run([RIVAL, "serve", "--config", file.name, "--show-config"], capture_output=True, text=True)
                self.assertEqual(run.returncode, 0, run.stderr)

    def test_every_flag_and_route_that_it_names_exists(self):
        text = GUIDE.read_text()
        flags = subprocess.run([RIVAL, "serve", "--help"], capture_output=True, text=True).stdout
        for flag in set(re.findall(r"`(--[a-z-]+)", text)):
            self.assertIn(flag, flags)
        for route in set(re.findall(r"`GET (/\S+)`", text)):
            self.assertEqual(self.server.call("GET", route)[0], 200, route)


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
