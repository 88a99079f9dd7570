"""What the tests of the running server share."""
import atexit
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest


class Server:
    """`rival serve` on a free port, ended by stop()."""

    def __init__(self, rival, *arguments, environment=None):
        self.process = subprocess.Popen([rival, "serve", "--port", "0", *arguments], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        atexit.register(self.process.kill)  # of a test that fails: what runs on would keep its caller waiting
        self.port = int(re.search(r":(\d+)", self.process.stdout.readline()).group(1))
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stdout.close()
        assert code == 0, f"the server ended with {code}"

    def call(self, method, path, body=None, headers=None):
        """Status and content."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        text = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        connection.request(method, path, text, headers or {})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content

    def post(self, path, **body):
        status, content = self.call("POST", path, body)
        return status, json.loads(content)

    def wait_until(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.05)

    def events(self, path, **body):
        """The data of each server-sent event, [DONE] left out."""
        status, content = self.call("POST", path, dict(body, stream=True))
        assert status == 200, content
        data = [line[len("data: "):] for line in content.decode().split("\n") if line.startswith("data: ")]
        return [json.loads(d) for d in data if d != "[DONE]"]


def test_cache():
    """Where fetched packages are kept from one test run to the next."""
    return pathlib.Path(os.environ.get("RIVAL_TEST_VENVS", pathlib.Path.home() / ".cache/rival/test-venvs"))


def venv(name, *packages):
    """The Python of a virtual environment with these pinned packages, kept for later; skips without a network."""
    folder = test_cache() / name
    python = folder / "bin/python"
    stamp = folder / "packages.txt"
    wanted = "\n".join(packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    pip = subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], capture_output=True, text=True)
    if pip.returncode != 0:
        raise unittest.SkipTest(f"pip cannot fetch {packages}: {pip.stderr[-200:]}")
    stamp.write_text(wanted)
    return python
