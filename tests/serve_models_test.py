"""Several models by name: loaded on demand, unloaded again, and no name that opens a file."""
import concurrent.futures
import datetime
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from fake_hub import FakeHub, File, Repository
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


class Ollama(unittest.TestCase):
    """How long a model stays, what it is, and that nobody changes models over the network."""
    @classmethod
    def setUpClass(cls):
        fetch(HERE)
        cls.server = Server(RIVAL, "--context", "512")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def rows(self, path):
        return {m["name"]: m for m in json.loads(self.server.call("GET", path)[1])["models"]}

    def ends_in(self, name):
        return (datetime.datetime.fromisoformat(self.rows("/api/ps")[name]["expires_at"].replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)).total_seconds()

    def embed(self, **body):
        return self.server.post("/api/embed", model=HERE, input="x", **body)[0]

    def test_keep_alive(self):
        self.assertEqual(self.embed(keep_alive="10m"), 200)
        self.assertTrue(590 < self.ends_in(HERE) <= 601)
        self.assertEqual(self.embed(), 200)  # says nothing about it
        self.assertTrue(590 < self.ends_in(HERE) <= 601)
        self.assertEqual(self.embed(keep_alive=-1), 200)
        self.assertGreater(self.ends_in(HERE), 1e9)
        self.assertEqual(self.embed(keep_alive=0), 200)
        self.server.wait_until(lambda: HERE not in self.rows("/api/ps"))
        self.assertEqual(self.embed(keep_alive="1s"), 200)
        self.assertIn(HERE, self.rows("/api/ps"))
        self.server.wait_until(lambda: HERE not in self.rows("/api/ps"))
        self.assertEqual(self.embed(keep_alive="soon"), 400)
        # Nothing to answer: only the wish. Nothing is loaded for it.
        status, answer = self.server.post("/api/generate", model=HERE, keep_alive=0, stream=False)
        self.assertEqual((status, answer["done_reason"]), (200, "unload"))
        self.assertNotIn(HERE, self.rows("/api/ps"))
        status, answer = self.server.post("/api/chat", model="smollm2:135m", messages=[], keep_alive=0)
        self.assertEqual((status, answer["done_reason"]), (200, "unload"))
        self.server.wait_until(lambda: not self.rows("/api/ps"))
        status, answer = self.server.post("/api/generate", model="smollm2:135m", keep_alive="5m")
        self.assertEqual((status, answer["done_reason"]), (200, "load"))
        self.assertTrue(290 < self.ends_in("smollm2:135m") <= 301)
        self.assertEqual(self.server.post("/api/generate", model="none", keep_alive=0)[0], 404)

    def test_show_reads_the_file_and_loads_nothing(self):
        self.server.post("/api/generate", model=HERE, keep_alive=0)
        self.server.wait_until(lambda: HERE not in self.rows("/api/ps"))
        status, shown = self.server.post("/api/show", model=HERE)
        self.assertEqual((status, shown["capabilities"], shown["model_info"]["general.architecture"]), (200, ["embedding"], "bert"))
        self.assertTrue(22_000_000 < shown["model_info"]["general.parameter_count"] < 24_000_000, shown["model_info"])
        self.assertNotIn(HERE, self.rows("/api/ps"))
        status, shown = self.server.post("/api/show", model="smollm2:135m")
        self.assertIn("completion", shown["capabilities"])
        self.assertIn("<|im_start|>", shown["template"])
        self.assertEqual(self.server.post("/api/show", model="none")[0], 404)
        self.assertEqual(self.server.post("/api/show", model="/etc/hostname")[0], 404)

    def test_a_digest_is_that_of_the_file(self):
        self.assertEqual(self.embed(keep_alive=60), 200)
        self.server.post("/api/generate", model="smollm2:135m", keep_alive=60)
        for name in (HERE, "smollm2:135m"):
            path = pathlib.Path(json.loads(subprocess.check_output([RIVAL, "show", "--json", name]))["path"])
            file = path / "model.safetensors" if path.is_dir() else path
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            self.assertEqual(self.rows("/api/ps")[name]["digest"], digest)
            self.assertEqual(self.rows("/api/tags")[name]["digest"], digest)
            self.assertEqual(self.server.post("/api/show", model=name)[1]["digest"], digest)

    def test_nothing_to_embed_is_no_mistake(self):
        for body in ({"input": ""}, {"input": []}, {}):
            status, answer = self.server.post("/api/embed", model=HERE, **body)
            self.assertEqual((status, answer["embeddings"]), (200, []), body)
        self.assertEqual(self.server.post("/api/embeddings", model=HERE)[1], {"embedding": []})
        self.assertEqual(len(self.server.post("/api/embeddings", model=HERE, prompt="x", keep_alive=60)[1]["embedding"]), 384)

    def test_models_are_not_changed_over_the_network(self):
        for method, path in (("DELETE", "/api/delete"), ("POST", "/api/copy"), ("POST", "/api/create"), ("POST", "/api/push"), ("POST", "/api/blobs/sha256:" + "0" * 64)):
            status, content = self.server.call(method, path, b"\x00\xff" if "blobs" in path else json.dumps({"model": HERE}))
            self.assertEqual(status, 403, path)
            self.assertIn("/".join(path.split("/")[:3]), json.loads(content)["error"])
        self.assertEqual(self.server.call("HEAD", "/api/blobs/sha256:" + "0" * 64), (403, b""))
        self.assertIn(HERE, self.rows("/api/tags"))


class Loading(unittest.TestCase):
    def test_the_server_says_that_it_is_not_ready(self):
        hub = FakeHub()
        hub.repositories["org/m"] = Repository({"m.gguf": File(bytes(4 << 20), bytes_per_s=1 << 16)})
        with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            free.close()
            environment = {**os.environ, "RIVAL_HOME": folder, "HF_HOME": folder, "HF_ENDPOINT": hub.url}
            process = subprocess.Popen([RIVAL, "serve", "--port", str(port), "--model", "hf:org/m/m.gguf"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
            try:
                def ask(path, body=None):
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                    connection.request("POST" if body else "GET", path, body)
                    response = connection.getresponse()
                    return response.status, response.getheader("retry-after"), json.loads(response.read())
                end = time.monotonic() + 30
                while True:
                    try:
                        self.assertEqual(ask("/health"), (200, None, {"status": "ok"}))
                        break
                    except OSError:
                        self.assertLess(time.monotonic(), end)
                        time.sleep(0.05)
                self.assertEqual(ask("/ready"), (503, None, {"status": "loading"}))
                status, after, answer = ask("/v1/chat/completions", "{}")
                self.assertEqual((status, answer["error"]["code"]), (503, "loading"))
                self.assertGreaterEqual(int(after), 1)
                self.assertEqual(ask("/v1/models")[0], 503)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(10), 130)
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
                hub.close()


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
