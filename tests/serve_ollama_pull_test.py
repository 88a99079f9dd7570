"""POST /api/pull of `rival serve`, from a hub on this machine."""
import http.client
import json
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import unittest

from fake_hub import FakeHub, File, Repository
from serve_support import Server

RIVAL = None


class Pull(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hub = FakeHub()
        cls.data = random.Random(7).randbytes(3 << 20)
        cls.folder = tempfile.TemporaryDirectory()
        licence = {"id": "Strict", "url": "https://example.org/l", "accept": True}
        row = {"name": "strict:1m", "kind": "instruct", "parameters": "1M", "quantisation": "F16", "licence": licence, "origin": "us", "context": 128,
               "note": "n", "files": [{"from": ["hf:org/m/m.gguf"], "bytes": len(cls.data)}]}
        (pathlib.Path(cls.folder.name) / "catalogue.json").write_text(json.dumps({"models": [row]}))
        path = json.loads(subprocess.check_output([RIVAL, "pull", "--json", "smollm2:135m"]))[0]["path"]
        cls.server = Server(RIVAL, "--context", "128", "--model", path, environment={"RIVAL_HOME": cls.folder.name, "HF_ENDPOINT": cls.hub.url,
                                                                                      "HF_HOME": cls.folder.name, "RIVAL_RETRY_MS": "1"})

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.hub.close()
        cls.folder.cleanup()

    def lines(self, model):
        status, content = self.server.call("POST", "/api/pull", {"model": model})
        self.assertEqual(status, 200, content)
        return [json.loads(line) for line in content.splitlines()]

    def names(self):
        return [m["name"] for m in json.loads(self.server.call("GET", "/api/tags")[1])["models"]]

    def test_progress_then_success(self):
        self.hub.repositories["org/slow"] = Repository({"a.gguf": File(self.data, bytes_per_s=3 << 20)})
        lines = self.lines("hf.co/org/slow/a.gguf")
        self.assertEqual(lines[-1], {"status": "success"})
        done = [line["completed"] for line in lines[:-1]]
        self.assertGreater(len(done), 1)
        self.assertEqual(done, sorted(done))
        self.assertEqual({line["total"] for line in lines[:-1]}, {len(self.data)})
        self.assertIn("hf:org/slow/a.gguf", " ".join(self.names()))

    def test_what_cannot_be_had(self):
        for name, status in (("no-such-model", 404), ("strict:1m", 403), ("/etc/hostname", 404), (self.hub.url + "/x.gguf", 404), ("hf:org/none/x.gguf", 404), ("", 400)):
            for stream in (True, False):
                answer = self.server.call("POST", "/api/pull", {"model": name, "stream": stream})
                self.assertEqual(answer[0], status, (name, answer))
                self.assertIn("error", json.loads(answer[1]))
        self.assertIn("--accept-licence", json.loads(self.server.call("POST", "/api/pull", {"model": "strict:1m"})[1])["error"])

    def test_a_client_that_leaves_ends_its_download(self):
        self.hub.repositories["org/left"] = Repository({"b.gguf": File(self.data, bytes_per_s=1 << 20)})
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request("POST", "/api/pull", json.dumps({"model": "hf:org/left/b.gguf"}))
        connection.getresponse().read(10)
        connection.close()
        # Downloads come one after the other, so this one's answer says that the other has ended.
        self.assertEqual(self.server.call("POST", "/api/pull", {"model": "no-such-model"})[0], 404)
        self.assertNotIn("left", " ".join(self.names()))


class Unreachable(unittest.TestCase):
    def test_a_hub_that_is_away_is_not_the_clients_mistake(self):
        path = json.loads(subprocess.check_output([RIVAL, "pull", "--json", "smollm2:135m"]))[0]["path"]
        with tempfile.TemporaryDirectory() as folder, socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            away = f"http://127.0.0.1:{closed.getsockname()[1]}"
            server = Server(RIVAL, "--context", "128", "--model", path, "--pull-on-demand",
                            environment={"RIVAL_HOME": folder, "HF_ENDPOINT": away, "HF_HOME": folder, "RIVAL_RETRY_MS": "1"})
            try:
                for stream in (True, False):
                    status, content = server.call("POST", "/api/pull", {"model": "hf:org/m/m.gguf", "stream": stream})
                    self.assertEqual(status, 502, content)
                    self.assertIn("127.0.0.1", json.loads(content)["error"])
                status, answer = server.post("/v1/chat/completions", model="hf:org/m/m.gguf", messages=[{"role": "user", "content": "x"}])
                self.assertEqual((status, answer["error"]["code"]), (502, "hub_unreachable"))
            finally:
                server.stop()


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
