"""Several models by name: loaded on demand, unloaded again, and no name that opens a file."""
import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from serve_support import Server

USER = {"role": "user", "content": "What is the capital of France?"}
HERE = "minilm:22m"


def names(server):
    return [m["id"] for m in json.loads(server.call("GET", "/v1/models")[1])["data"]]


def embed(server, model=HERE):
    return server.post("/v1/embeddings", input="hello", model=model)


def chat(server, **body):
    return server.post("/v1/chat/completions", **{"messages": [USER], "max_tokens": 8, "temperature": 0, **body})


def loaded(server):
    return {m["id"] for m in json.loads(server.call("GET", "/v1/models")[1])["data"] if m["loaded"]}


def fetch(name):
    pull = subprocess.run([RIVAL, "pull", name], capture_output=True, text=True)
    if pull.returncode != 0:
        raise unittest.SkipTest(f"{name} cannot be fetched: {pull.stderr[-200:]}")


class OnDemand(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        fetch(HERE)
        cls.server = Server(RIVAL, "--context", "1024")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_a_model_of_the_store_is_loaded_once_for_all_that_ask(self):
        self.assertEqual(names(self.server)[0], "smollm2:135m")
        self.assertIn(HERE, names(self.server))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            several = list(pool.map(lambda i: embed(self.server, HERE if i % 2 else "MiniLM"), range(16)))
            chats = list(pool.map(lambda _: chat(self.server), range(4)))
        self.assertEqual({s for s, _ in several + chats}, {200}, several[0])
        self.assertEqual({a["model"] for _, a in several}, {HERE})
        self.assertEqual(len({json.dumps(a["data"]) for _, a in several}), 1)
        self.assertEqual(len(several[0][1]["data"][0]["embedding"]), 384)
        self.assertEqual(self.server.call("GET", "/v1/models/" + HERE.replace(":", "%3A"))[0], 200)
        self.assertEqual(loaded(self.server), {"smollm2:135m", HERE})

    def test_a_chat_with_an_embedding_model_names_the_field(self):
        status, answer = chat(self.server, model=HERE)
        self.assertEqual((status, answer["error"]["param"]), (400, "model"))

    def test_no_name_opens_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            gguf = pathlib.Path(folder, "stolen.gguf")
            gguf.write_bytes(b"GGUF")
            hostile = [str(gguf), "./stolen.gguf", "../" * 8 + "etc/passwd", "/etc/passwd", ".", "..", "~/x.gguf", "file:///etc/passwd",
                       "ollama:../../../etc/passwd", "ollama:" + str(gguf), "hf:../../x/y", "hf:a/b/../../../../etc/passwd",
                       "pypi:evil==1.0/x", "http://169.254.169.254/latest/meta-data/x.gguf", "https://example.invalid/x.gguf",
                       "smollm2:135m/../../x", "a\u0000b", "%2e%2e%2fetc%2fpasswd", "x" * 100_000, "\u202e", "CON", "smollm2:135m\n", "'; --"]
            for name in hostile:
                status, answer = chat(self.server, model=name)
                self.assertEqual((status, answer["error"]["code"]), (404, "model_not_found"), (name[:50], answer))
                self.assertEqual(answer["error"]["param"], "model")
                self.assertLess(len(answer["error"]["message"]), 1000)
            for path in ("/v1/models/../../etc/passwd", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/v1/models/%00%ff%fe", "/v1/models/%"):
                self.assertEqual(self.server.call("GET", path)[0], 404, path)
            self.assertEqual(chat(self.server, model=7)[0], 400)


class Budget(unittest.TestCase):
    def test_the_idle_one_makes_room_and_what_never_fits_is_400(self):
        fetch(HERE)
        server = Server(RIVAL, "--context", "512", "--streams", "4", "--memory-budget", "220MB")
        try:
            self.assertEqual(chat(server)[0], 200)
            self.assertEqual(embed(server)[0], 200)
            self.assertEqual(loaded(server), {HERE})
            self.assertEqual(chat(server)[0], 200)
            self.assertEqual(loaded(server), {"smollm2:135m"})
        finally:
            server.stop()
        too_small = subprocess.run([RIVAL, "serve", "--port", "0", "--memory-budget", "50MB"], capture_output=True, text=True, timeout=60)
        self.assertEqual(too_small.returncode, 1)
        self.assertIn("50.0 MB", too_small.stderr)

    def test_idle_models_leave_memory_and_come_back(self):
        server = Server(RIVAL, "--context", "512", "--idle-unload", "0.5")
        try:
            def resident():
                return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text()).group(1)) * 1024
            self.assertEqual(chat(server)[0], 200)
            before = resident()
            server.wait_until(lambda: not loaded(server))
            self.assertLess(resident(), before - 80_000_000)
            self.assertEqual(chat(server)[0], 200)
            self.assertEqual(loaded(server), {"smollm2:135m"})
        finally:
            server.stop()


class OwnFiles(unittest.TestCase):
    def test_a_file_is_listed_by_its_name_and_not_by_its_place(self):
        home = pathlib.Path(subprocess.run([RIVAL, "show", "smollm2:135m", "--path"], capture_output=True, text=True).stdout.strip() or "/none")
        if not home.exists():
            self.skipTest("the model is not on this machine")
        with tempfile.TemporaryDirectory() as folder:
            mine = pathlib.Path(folder, "my-model.gguf")
            shutil.copy(home, mine)
            server = Server(RIVAL, "--context", "512", "--model", str(mine))
            try:
                self.assertEqual(names(server)[0], "my-model")
                for name in ("my-model", str(mine), ""):
                    self.assertEqual(chat(server, model=name)[1]["model"], "my-model")
            finally:
                server.stop()


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
