"""Who may call, how much, and what is told about it: keys, hosts, origins, limits, the log, and the end of a server."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from serve_support import Server

USER = {"role": "user", "content": "Tell a secret: xyzzyplugh."}


class Home:
    """A RIVAL_HOME of its own that shares the models of the real one."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        unittest.addModuleCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        real = pathlib.Path(os.environ.get("RIVAL_HOME") or pathlib.Path(os.environ.get("XDG_DATA_HOME", pathlib.Path.home() / ".local/share")) / "rival")
        subprocess.run([RIVAL, "pull", "smollm2:135m"], check=True, capture_output=True)
        for name in ("blobs", "models"):
            (self.path / name).symlink_to(real / name)
        self.environment = {"RIVAL_HOME": str(self.path)}

    def keys(self, *arguments):
        return subprocess.run([RIVAL, "serve", "keys", *arguments], capture_output=True, text=True, env={**os.environ, **self.environment})

    def serve(self, *arguments):
        return Server(RIVAL, "--context", "512", *arguments, environment=self.environment)


def ask(server, method, path, body=None, headers=None):
    """Status, headers and content."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request(method, path, None if body is None else json.dumps(body), headers or {})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {k.lower(): v for k, v in response.getheaders()}, content


def chat(server, key=None, **body):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return ask(server, "POST", "/v1/chat/completions", {"messages": [USER], "max_tokens": 4, "temperature": 0, **body}, headers)


class Keys(unittest.TestCase):
    def test_a_key_is_shown_once_and_kept_as_a_hash(self):
        home = Home()
        made = home.keys("add", "phone", "--requests-per-minute", "1000")
        self.assertEqual(made.returncode, 0, made.stderr)
        key = made.stdout.strip()
        self.assertRegex(key, r"^rk-[0-9a-f]{64}$")
        kept = (home.path / "keys.json").read_text()
        self.assertNotIn(key, kept)
        self.assertNotIn(key[3:], kept)
        self.assertEqual((home.path / "keys.json").stat().st_mode & 0o777, 0o600)
        self.assertNotIn(key, home.keys("ls").stdout)
        self.assertIn("phone", home.keys("ls").stdout)
        self.assertEqual(home.keys("add", "phone").returncode, 2)
        self.assertEqual(home.keys("add", "../x").returncode, 2)
        server = home.serve()
        try:
            for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": f"Bearer {key}"}, 200),
                                    ({"x-api-key": key}, 200), ({"Authorization": "Bearer " + json.loads(kept)["keys"][0]["sha256"]}, 401),
                                    ({"Authorization": "Bearer " + "k" * 20_000}, 401), ({"Authorization": f"Bearer {key}\t"}, 200)):
                self.assertEqual(ask(server, "GET", "/v1/models", headers=headers)[0], status, headers)
            for path in ("/health", "/ready"):
                self.assertEqual(ask(server, "GET", path)[0], 200)
            self.assertEqual(ask(server, "GET", "/metrics")[0], 401)
            # Taken away and added while the server runs.
            second = home.keys("add", "laptop").stdout.strip()
            self.assertEqual(home.keys("rm", "phone").returncode, 0)
            self.assertEqual(home.keys("rm", "phone").returncode, 1)
            server.process.send_signal(signal.SIGHUP)
            server.wait_until(lambda: ask(server, "GET", "/v1/models", headers={"x-api-key": second})[0] == 200)
            self.assertEqual(ask(server, "GET", "/v1/models", headers={"x-api-key": key})[0], 401)
            # A file that is broken leaves things as they are.
            (home.path / "keys.json").write_text("{")
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            self.assertEqual(ask(server, "GET", "/v1/models", headers={"x-api-key": second})[0], 200)
        finally:
            server.stop()
        broken = subprocess.run([RIVAL, "serve", "--port", "0"], capture_output=True, text=True, env={**os.environ, **home.environment})
        self.assertEqual(broken.returncode, 1)
        self.assertIn("keys.json", broken.stderr)

    def test_other_machines_need_a_key_and_get_addresses(self):
        home = Home()
        refused = subprocess.run([RIVAL, "serve", "--host", "0.0.0.0", "--port", "0"], capture_output=True, text=True, env={**os.environ, **home.environment})
        self.assertEqual(refused.returncode, 1)
        self.assertIn("rival serve keys add", refused.stderr)
        key = home.keys("add", "phone").stdout.strip()
        server = home.serve("--host", "0.0.0.0")
        try:
            own = socket.gethostname()
            for host in (f"127.0.0.1:{server.port}", f"{own}:{server.port}", f"{own}.local:{server.port}" if "." not in own else own):
                self.assertEqual(ask(server, "GET", "/v1/models", headers={"Host": host, "x-api-key": key})[0], 200, host)
            self.assertEqual(ask(server, "GET", "/v1/models", headers={"Host": "evil.example", "x-api-key": key})[0], 403)
        finally:
            server.stop()


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home()
        cls.few = cls.home.keys("add", "few", "--requests-per-minute", "3").stdout.strip()
        cls.short = cls.home.keys("add", "short", "--tokens-per-minute", "60").stdout.strip()
        cls.server = cls.home.serve("--requests-per-minute", "500")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_requests(self):
        answers = [chat(self.server, self.few) for _ in range(5)]
        self.assertEqual([a[0] for a in answers], [200, 200, 200, 429, 429])
        self.assertEqual([a[1]["x-ratelimit-remaining-requests"] for a in answers[:3]], ["2", "1", "0"])
        self.assertEqual(answers[0][1]["x-ratelimit-limit-requests"], "3")
        status, headers, content = answers[3]
        error = json.loads(content)["error"]
        self.assertEqual((error["type"], error["code"]), ("rate_limit_error", "rate_limit_exceeded"))
        self.assertTrue(1 <= int(headers["retry-after"]) <= 20)
        self.assertIn("x-request-id", headers)
        # Anthropic's clients read the same of their own shape.
        status, headers, content = ask(self.server, "POST", "/v1/messages", {"messages": [USER], "max_tokens": 4}, {"x-api-key": self.few})
        self.assertEqual((status, json.loads(content)["error"]["type"]), (429, "rate_limit_error"))
        self.assertEqual((headers["anthropic-ratelimit-requests-limit"], headers["anthropic-ratelimit-requests-remaining"]), ("3", "0"))
        self.assertRegex(headers["anthropic-ratelimit-requests-reset"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertTrue(1 <= int(headers["retry-after"]) <= 20)
        self.assertEqual(json.loads(content)["request_id"], headers["request-id"])
        self.assertNotIn("anthropic-ratelimit-requests-limit", answers[3][1])

    def test_tokens_of_answers_whose_client_left_count_too(self):
        self.assertEqual(chat(self.server, self.short, max_tokens=60, ignore_eos=True)[0], 200)
        status, headers, content = chat(self.server, self.short)
        self.assertEqual(status, 429)
        self.assertIn("tokens a minute", json.loads(content)["error"]["message"])
        self.assertEqual(headers["x-ratelimit-remaining-tokens"], "0")
        self.assertEqual(ask(self.server, "GET", "/v1/models", headers={"x-api-key": self.short})[0], 200)


class Sources(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home()
        cls.server = cls.home.serve("--allow-host", "box.example", "--allow-origin", "https://chat.example")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_hosts(self):
        for host, status in (("localhost:1", 200), ("box.example", 200), ("192.168.7.7:8080", 200), ("evil.example", 403), ("localhost.evil.example", 403),
                             ("", 403), ("127.0.0.1.evil.example", 403)):
            self.assertEqual(ask(self.server, "GET", "/v1/models", headers={"Host": host})[0], status, host)
        with socket.create_connection(("127.0.0.1", self.server.port)) as s:
            s.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            self.assertIn(b" 400 ", s.makefile("rb").readline())

    def test_origins(self):
        own = f"127.0.0.1:{self.server.port}"
        for origin, status in ((f"http://{own}", 200), ("http://localhost:3000", 200), ("https://chat.example", 200), ("https://evil.example", 403),
                               ("null", 403), ("http://chat.example", 403), ("https://chat.example.evil.example", 403)):
            for method, path, body in (("GET", "/v1/models", None), ("POST", "/tokenize", {"content": "x"}), ("GET", "/health", None)):
                got, headers, content = ask(self.server, method, path, body, {"Host": own, "Origin": origin})
                self.assertEqual(got, status, (origin, path))
                self.assertEqual(headers.get("access-control-allow-origin"), origin if status == 200 else None)
                if status == 403:
                    self.assertEqual(json.loads(content)["error"]["code"], "origin_not_allowed")

    def test_preflight(self):
        wanted = {"Origin": "https://chat.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-stainless-os"}
        status, headers, content = ask(self.server, "OPTIONS", "/v1/chat/completions", headers=wanted)
        self.assertEqual((status, content), (204, b""))
        self.assertNotIn("content-length", headers)
        self.assertEqual(headers["access-control-allow-origin"], "https://chat.example")
        self.assertEqual(headers["access-control-allow-headers"], "authorization,x-stainless-os")
        self.assertIn("POST", headers["access-control-allow-methods"])
        self.assertIn("Origin", headers["vary"])
        self.assertEqual(ask(self.server, "OPTIONS", "/v1/chat/completions", headers={**wanted, "Origin": "https://evil.example"})[0], 403)

    def test_hostile_requests_leave_the_server_answering(self):
        raw = [b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 5000, b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 100_000),
               b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
               b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
               b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
               b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
               b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
               b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\r\n b\r\n\r\n",
               b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
               b"GET http://evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n", b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
               b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
        for request in raw:
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as s:
                try:
                    s.sendall(request)
                    s.shutdown(socket.SHUT_WR)
                    answer = b""
                    while piece := s.recv(65536):
                        answer += piece
                except ConnectionError:
                    answer = b""
                self.assertNotRegex(answer[:20], rb"^HTTP/1.1 [25]\d\d (?!OK)", request[:60])
                self.assertNotIn(b"/smuggled", answer)
        self.assertEqual(ask(self.server, "GET", "/health")[0], 200)


class Ids(unittest.TestCase):
    """Every answer says by which name the log knows it."""
    @classmethod
    def setUpClass(cls):
        cls.home = Home()
        cls.log = cls.home.path / "access.log"
        cls.server = cls.home.serve("--access-log", str(cls.log), "--max-body", "1000")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_every_answer_has_an_id_and_a_line(self):
        anthropic = {"anthropic-version": "2023-06-01"}
        calls = [("GET", "/v1/models", None, {}, 200), ("GET", "/nothing", None, {}, 404), ("PATCH", "/v1/models", None, {}, 405),
                 ("GET", "/health", None, {"Origin": "https://evil.example"}, 403), ("POST", "/v1/chat/completions", [], {}, 400),
                 ("POST", "/v1/messages", {"messages": [USER], "max_tokens": 2}, anthropic, 200), ("POST", "/v1/messages", {}, {}, 400),
                 ("POST", "/v1/messages", {"messages": ["x" * 2000]}, {}, 413), ("POST", "/v1/chat/completions", {"x": "x" * 2000}, {}, 413),
                 ("POST", "/api/chat", {"x": "x" * 2000}, {}, 413), ("GET", "/v1/models", None, {"anthropic-version": "2023-01-01"}, 400),
                 ("OPTIONS", "/v1/models", None, {"Origin": "http://localhost", "Access-Control-Request-Method": "GET"}, 204), ("GET", "/v1/models", None, {"X": "x" * 40_000}, 431)]
        for method, path, body, extra, expected in calls:
            status, headers, content = ask(self.server, method, path, body, extra)
            self.assertEqual(status, expected, (path, content))
            self.assertRegex(headers.get("x-request-id", ""), r"^req_\w{24}$", path)
            self.server.wait_until(lambda: f" {headers['x-request-id']} " in self.log.read_text())
            asked_as_anthropic = path == "/v1/messages" or "anthropic-version" in extra
            self.assertEqual(headers.get("request-id"), headers["x-request-id"] if asked_as_anthropic else None, path)
            if asked_as_anthropic and status >= 400:
                error = json.loads(content)
                self.assertEqual((error["type"], error["request_id"]), ("error", headers["request-id"]))
                self.assertEqual(error["error"]["type"], "request_too_large" if status == 413 else "invalid_request_error")
            if path == "/api/chat":
                self.assertIsInstance(json.loads(content)["error"], str)
        with socket.create_connection(("127.0.0.1", self.server.port)) as s:
            s.sendall(b"nonsense\r\n\r\n")
            id = re.search(rb"x-request-id: (\S+)", s.makefile("rb").read()).group(1).decode()
        self.server.wait_until(lambda: id in self.log.read_text())
        self.assertRegex(self.log.read_text(), rf"{id} 127.0.0.1 - - 400 key=- total_ms=")


class Log(unittest.TestCase):
    LINE = re.compile(r"^(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<id>\S+) (?P<peer>\S+) (?P<method>\S+) (?P<path>\S+) (?P<status>\d{3}) key=(?P<key>\S+)"
                      r"(?: model=(?P<model>\S+) prompt=(?P<prompt>\d+) cached=(?P<cached>\d+) completion=(?P<completion>\d+))?"
                      r"(?: ttft_ms=(?P<ttft>[\d.]+))? total_ms=(?P<total>[\d.]+)$")

    def test_one_line_a_request_and_never_what_was_said(self):
        home = Home()
        key = home.keys("add", "phone").stdout.strip()
        log = home.path / "access.log"
        server = home.serve("--access-log", str(log))
        try:
            _, headers, content = chat(server, key)
            usage = json.loads(content)["usage"]
            _, own, _ = ask(server, "GET", "/v1/models?key=hidden", headers={"x-api-key": key, "X-Request-Id": "my-own.id_7"})
            self.assertEqual(own["x-request-id"], "my-own.id_7")
            forged = ask(server, "GET", "/nothing%0aforged", headers={"X-Request-Id": 'a" 200 forged'})[1]["x-request-id"]
            self.assertTrue(forged.startswith("req_"))
            ask(server, "POST", "/v1/messages", {"messages": [USER], "max_tokens": 3}, {"x-api-key": key})
            ask(server, "POST", "/api/chat", {"model": "smollm2:135m", "messages": [USER], "options": {"num_predict": 3}}, {"x-api-key": key})
            # A client that leaves.
            gone = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            gone.request("POST", "/v1/chat/completions", json.dumps({"messages": [USER], "stream": True, "ignore_eos": True, "max_tokens": 400}), {"x-api-key": key})
            gone.getresponse().read(100)
            gone.close()
            server.wait_until(lambda: len(log.read_text().splitlines()) >= 6)
            lines = {m["id"]: m for m in map(self.LINE.match, log.read_text().splitlines())}
            self.assertEqual(len(lines), 6)
            line = lines[headers["x-request-id"]]
            self.assertEqual((line["method"], line["path"], line["status"], line["key"], line["model"]), ("POST", "/v1/chat/completions", "200", "phone", "smollm2:135m"))
            self.assertEqual((int(line["prompt"]), int(line["completion"])), (usage["prompt_tokens"], usage["completion_tokens"]))
            self.assertLess(0, float(line["ttft"]))
            self.assertLessEqual(float(line["ttft"]), float(line["total"]))
            self.assertEqual(lines["my-own.id_7"]["path"], "/v1/models")
            self.assertEqual(lines[forged]["status"], "404")
            for path in ("/v1/messages", "/api/chat"):
                self.assertEqual([(m["completion"], m["model"]) for m in lines.values() if m["path"] == path], [("3", "smollm2:135m")])
            left = [m for m in lines.values() if m["status"] == "499"]
            self.assertEqual(len(left), 1)
            self.assertGreater(int(left[0]["completion"]), 0)
            # Moved away, as programs that keep logs short do.
            log.rename(home.path / "access.log.1")
            server.process.send_signal(signal.SIGHUP)
            server.wait_until(log.exists)
            ask(server, "GET", "/health")
            server.wait_until(lambda: "/health" in log.read_text())
            whole = log.read_text() + (home.path / "access.log.1").read_text()
            for secret in (key, "xyzzyplugh", "hidden", "Tell a secret"):
                self.assertNotIn(secret, whole)
        finally:
            server.stop()


class Tls(unittest.TestCase):
    @staticmethod
    def make_certificate(key, cert):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                        "-keyout", key, "-out", cert], check=True, capture_output=True)

    @staticmethod
    def certificate_of(server):
        return ssl.get_server_certificate(("127.0.0.1", server.port))

    def test_a_certificate_makes_it_https(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        home = Home()
        cert, key = home.path / "cert.pem", home.path / "key.pem"
        self.make_certificate(key, cert)
        wrong = subprocess.run([RIVAL, "serve", "--port", "0", "--tls-cert", key, "--tls-key", key], capture_output=True, text=True, env={**os.environ, **home.environment})
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("tls_cert", wrong.stderr)
        log = home.path / "access.log"
        server = home.serve("--tls-cert", str(cert), "--tls-key", str(key), "--access-log", str(log))
        try:
            context = ssl.create_default_context(cafile=str(cert))
            def connect():
                return http.client.HTTPSConnection("127.0.0.1", server.port, timeout=60, context=context)
            connection = connect()
            for _ in range(3):  # one connection
                connection.request("GET", "/v1/models")
                self.assertEqual(json.loads(connection.getresponse().read())["data"][0]["id"], "smollm2:135m")
            connection.request("POST", "/v1/chat/completions", json.dumps({"messages": [USER], "stream": True, "max_tokens": 20}))
            self.assertTrue(connection.getresponse().read().rstrip().endswith(b"[DONE]"))
            body = json.dumps({"content": "word " * 500_000})
            connection.request("POST", "/tokenize", body)
            self.assertEqual(len(json.loads(connection.getresponse().read())["tokens"]) >= 500_000, True)
            # Who leaves is noticed, plain HTTP and nonsense are turned away, silence holds nobody up.
            gone = connect()
            gone.request("POST", "/v1/chat/completions", json.dumps({"messages": [USER], "stream": True, "ignore_eos": True, "max_tokens": 450}))
            gone.getresponse().read(100)
            gone.close()
            server.wait_until(lambda: " 499 " in log.read_text())
            silent = socket.create_connection(("127.0.0.1", server.port))
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
                plain.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertNotIn(b"200", plain.recv(1000))
            connection.request("GET", "/health")
            self.assertEqual(connection.getresponse().read(), b'{"status":"ok"}')
            self.assertIn(" 127.0.0.1 GET /v1/models 200 ", log.read_text())
            with self.assertRaises(ssl.SSLError):
                old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
                old.maximum_version = ssl.TLSVersion.TLSv1_1
                old.wrap_socket(socket.create_connection(("127.0.0.1", server.port))).close()
            silent.close()
            # A certificate that was renewed comes with SIGHUP, for new connections; a broken one changes nothing.
            before = cert.read_text()
            self.make_certificate(key, cert)
            server.process.send_signal(signal.SIGHUP)
            server.wait_until(lambda: self.certificate_of(server) == cert.read_text())
            connection.request("GET", "/health")
            self.assertEqual(connection.getresponse().read(), b'{"status":"ok"}')
            self.assertNotEqual(cert.read_text(), before)
            renewed = cert.read_text()
            cert.write_text("no certificate")
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            self.assertEqual(self.certificate_of(server), renewed)
        finally:
            server.stop()


class End(unittest.TestCase):
    def test_answers_under_way_end_and_new_ones_are_refused(self):
        home = Home()
        server = home.serve()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        connection.request("POST", "/v1/chat/completions", json.dumps({"messages": [USER], "stream": True, "ignore_eos": True, "max_tokens": 300}))
        response = connection.getresponse()
        response.read(50)
        server.process.send_signal(signal.SIGTERM)
        statuses = []
        def probe():
            for _ in range(200):
                try:
                    statuses.append((ask(server, "GET", "/ready")[0], ask(server, "GET", "/health")[0], chat(server)[:2]))
                except OSError:
                    return
                if statuses[-1][0] == 503:
                    return
                time.sleep(0.01)
        prober = threading.Thread(target=probe)
        prober.start()
        rest = response.read()
        prober.join()
        self.assertTrue(rest.rstrip().endswith(b"data: [DONE]"))
        ready, health, (refused, headers) = statuses[-1]
        self.assertEqual((ready, health, refused), (503, 200, 503))
        self.assertIn("retry-after", headers)
        self.assertEqual(server.process.wait(60), 0)
        server.process.stdout.close()

    def test_a_reload_drops_no_request(self):
        home = Home()
        server = home.serve()
        try:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                answers = [pool.submit(chat, server, max_tokens=40, ignore_eos=True) for _ in range(8)]
                for _ in range(10):
                    server.process.send_signal(signal.SIGHUP)
                    time.sleep(0.05)
                self.assertEqual({a.result()[0] for a in answers}, {200})
        finally:
            server.stop()

    def test_a_full_queue_is_503_with_retry_after(self):
        home = Home()
        server = home.serve("--streams", "1", "--queue", "1")
        try:
            with concurrent.futures.ThreadPoolExecutor(12) as pool:
                answers = [a.result() for a in [pool.submit(chat, server, max_tokens=60, ignore_eos=True) for _ in range(12)]]
            self.assertEqual({a[0] for a in answers}, {200, 503})
            self.assertTrue(all(int(a[1]["retry-after"]) >= 1 for a in answers if a[0] == 503))
        finally:
            server.stop()


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
