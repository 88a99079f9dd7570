"""Real clients against `rival serve`: OpenAI's and Anthropic's for Python and Node, Ollama's and LangChain's for Python.

The clients are fetched once, in pinned versions, and kept; without a network their tests are skipped."""
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from serve_support import Server, test_cache, venv

RIVAL = None
CLIENTS = pathlib.Path(__file__).parent / "clients"
PACKAGES = ("openai==3.57.0", "anthropic==2.13.0", "ollama==0.6.3", "langchain-openai==1.7.4", "langchain-core==1.8.3")


def node_modules():
    """A folder with the clients for Node and the tests that use them."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise unittest.SkipTest("node and npm are not installed")
    folder = test_cache() / "node-clients"
    folder.mkdir(parents=True, exist_ok=True)
    stamp, lock = folder / "installed.json", (CLIENTS / "package-lock.json").read_text()
    if not stamp.exists() or stamp.read_text() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(CLIENTS / name, folder)
        run = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True)
        if run.returncode != 0:
            raise unittest.SkipTest(f"npm cannot fetch the clients: {run.stderr[-200:]}")
        stamp.write_text(lock)
    for script in CLIENTS.glob("*.mjs"):
        shutil.copy(script, folder)
    return node, folder


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(RIVAL, "--context", "2048", "--model", "smollm2:135m", "--model", "minilm:22m")
        cls.environment = {**os.environ, "RIVAL_URL": cls.server.url, "PYTHONDONTWRITEBYTECODE": "1", "LANGSMITH_TRACING": "false"}

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def run_tests(self, command, folder):
        run = subprocess.run(command, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=300)
        self.assertEqual(run.returncode, 0, run.stdout[-6000:] + run.stderr[-6000:])

    def test_python(self):
        python = venv("clients", *PACKAGES)
        for client in ("openai", "anthropic", "ollama", "langchain"):
            with self.subTest(client):
                self.run_tests([python, "-W", "ignore", f"{client}_client.py"], CLIENTS)

    def test_node(self):
        node, folder = node_modules()
        for client in ("openai", "anthropic"):
            with self.subTest(client):
                self.run_tests([node, "--test", f"{client}.test.mjs"], folder)


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
