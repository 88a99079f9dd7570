"""What the tests with real clients share. RIVAL_URL names a running server with a chat and an embedding model."""
import http.client
import http.server
import os
import re
import threading
import time
import urllib.request

URL = os.environ["RIVAL_URL"]
CHAT, EMBED = "smollm2:135m", "minilm:22m"
USER = {"role": "user", "content": "What is the capital of France?"}
LONG = {"role": "user", "content": "Count from one to ten thousand, every number in words."}
CITY = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}, "capital": {"type": "boolean"}},
        "required": ["city", "capital"], "additionalProperties": False}

WEATHER = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}}, "required": ["city"], "additionalProperties": False}


def running():
    """Answers that the server is computing."""
    with urllib.request.urlopen(URL + "/metrics") as response:
        return sum(int(float(n)) for n in re.findall(r"^rival_running\{[^}]*\} (\S+)$", response.read().decode(), re.M))


def wait_idle(seconds=10):
    """True once the server computes nothing any more."""
    end = time.monotonic() + seconds
    while running() > 0:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Between:
    """A proxy before the server that counts requests and answers the first `failures` of them with 503."""

    def __init__(self, failures=0):
        between = self
        self.count, self.failures = 0, failures

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                between.count += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if between.count <= between.failures:
                    return self.answer(503, b'{"error": {"message": "more requests wait than may", "type": "unavailable_error"}}', {"Retry-After": "0"})
                connection = http.client.HTTPConnection(URL.removeprefix("http://"))
                headers = {k: v for k, v in self.headers.items() if k.lower() in ("content-type", "authorization", "x-api-key", "anthropic-version")}
                connection.request("POST", self.path, body, headers)
                response = connection.getresponse()
                self.answer(response.status, response.read(), {})
                connection.close()

            def answer(self, status, content, headers):
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
