"""Hostile clients of `rival serve`: each is refused or closed, and the server goes on. Usage: serve_hostile_test.py RIVAL [--sanitized]"""
import contextlib
import json
import resource
import socket
import sys
import time
import unittest

import serve_support

RIVAL = None
SANITIZED = False  # a sanitizer's own memory is not Rival's
MIB = 1 << 20
CHAT = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2, "temperature": 0}


class Client:
    """A raw connection."""

    def __init__(self, port, source="127.0.0.1", receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.bind((source, 0))
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))

    def send(self, data):
        """False if the server has closed the connection."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def read_all(self):
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(1 << 16):
                data += piece
        return data

    def is_closed(self):
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()


def statuses(answer):
    """The status codes of the answers in a stream of bytes."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def post(body, path=b"/v1/chat/completions", headers=b""):
    return b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def get(path, headers=b"Host: localhost\r\n", end=b"Connection: close\r\n\r\n"):
    return b"GET " + path + b" HTTP/1.1\r\n" + headers + end


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = serve_support.Server(RIVAL, "--context", "2048")
        assert cls.server.call("POST", "/v1/chat/completions", CHAT)[0] == 200

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def tearDown(self):
        self.assertEqual(self.server.call("GET", "/health")[0], 200)

    def exchange(self, data):
        client = Client(self.server.port)
        client.send(data)
        answer = client.read_all()
        client.close()
        return answer

    def refused(self, data, *allowed):
        """One answer, of an allowed status and in JSON where it comes from the server itself; the connection is closed."""
        answer = self.exchange(data)
        self.assertEqual(len(statuses(answer)), 1, (data[:200], answer[:500]))
        self.assertIn(statuses(answer)[0], allowed or (400,), (data[:200], answer[:500]))
        self.assertIn("error", json.loads(answer.split(b"\r\n\r\n", 1)[1]))

    def memory(self):
        with open(f"/proc/{self.server.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))

    # ---- requests that two servers could understand differently

    def test_no_request_is_smuggled(self):
        inner = get(b"/v1/models")
        for headers in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                        b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked, identity\r\n",
                        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
                        b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding: \x0bchunked\r\n", b"Content-Length: 3\r\nContent-Length: 5\r\n",
                        b"Content-Length: 3, 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: +3\r\n", b"Content-Length: 0x3\r\n",
                        b"Content-Length: 3 3\r\n", b"Content-Length: 18446744073709551616\r\n", b"Content-Length: 99999999999999999999999\r\n",
                        b"Content-Length : 3\r\n", b"Content-Length\r\n", b" Content-Length: 3\r\n"):
            with self.subTest(headers):
                self.refused(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n0\r\n\r\n" + inner, 400, 413)
        self.refused(b"POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner)

    def test_a_body_ends_where_its_length_says(self):
        short = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
        answer = self.exchange(short + get(b"/health"))
        self.assertEqual(statuses(answer), [400, 200])
        self.assertEqual(statuses(self.exchange(short + b"rubbish\r\n\r\n")), [400, 400])
        client = Client(self.server.port)  # a length that never comes
        client.send(short[:-1])
        time.sleep(0.2)
        self.assertFalse(client.is_closed())
        client.close()

    def test_chunks(self):
        head = b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b'{"content": "hello"}'
        half = len(body) // 2
        good = b"%x;name=value\r\n%s\r\n%X\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (half, body[:half], len(body) - half, body[half:])
        self.assertEqual(statuses(self.exchange(head + good)), [200])
        client = Client(self.server.port)  # a byte at a time
        for i in range(len(head + good)):
            client.send((head + good)[i:i + 1])
        self.assertEqual(statuses(client.read_all()), [200])
        client.close()
        for wrong in (b"zz\r\n", b"-1\r\n", b"\r\n", b"5 5\r\nhello\r\n", b"FFFFFFFFFFFFFFFFF\r\nx", b"5\r\nhelloworld\r\n", b"7FFFFFFFFFFFFFFF\r\nx",
                      b"5;" + b"x" * 100_000, b"1" * 100_000, b"0\r\n" + b"T: x\r\n" * 50_000, b"0\r\nno colon\r\n\r\n"):
            with self.subTest(wrong[:20]):
                self.refused(head + wrong, 400, 413, 431)

    # ---- headers

    def test_headers(self):
        for request, allowed in (
                (get(b"/health", b"Host: localhost\r\nX: " + b"x" * 100_000 + b"\r\n"), (431,)),
                (get(b"/health", b"Host: localhost\r\n" + b"X: y\r\n" * 20_000), (431,)),
                (get(b"/" + b"a" * 100_000), (431,)),
                (b"GET /" + b"a" * 100_000, (431,)),
                (b"x" * 100_000, (400, 431)),
                (get(b"/health", b""), (400,)),
                (get(b"/health", b"Host: localhost\r\nHost: evil.example\r\n"), (400,)),
                (get(b"/health", b"Host: evil.example\r\n"), (403,)),
                (get(b"/health", b"Host: localhost.evil.example\r\n"), (403,)),
                (get(b"/health", b"Host: 127.0.0.1.evil.example\r\n"), (403,)),
                (get(b"/health", b"Host: \r\n"), (400, 403)),
                (get(b"/health", b"Host: localhost\r\nX: a\x00b\r\n"), (400,)),
                (get(b"/health", b"Host: localhost\r\nX\x00: a\r\n"), (400,)),
                (get(b"/health", b"Host: localhost\r\n: a\r\n"), (400,)),
                (get(b"/health", b"Host: localhost\r\nno colon\r\n"), (400,)),
                (get(b"/health", b"Host: localhost\r\nExpect: miracles\r\n"), (417,)),
                (post(b"{}", headers=b"Content-Encoding: gzip\r\n"), (415,)),
                (b"GET /health\r\n\r\n", (400,)),
                (b"GET /health HTTP/0.9\r\nHost: localhost\r\n\r\n", (400,)),
                (b"GET /health HTTP/1.2\r\nHost: localhost\r\n\r\n", (400,)),
                (b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n", (400,)),
                (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", (400,)),
                (b"GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
                (b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
                (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
                (b"G\x00T /health HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
                (b"GET /he\x80lth HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,)),
                (b"GET /he alth HTTP/1.1\r\nHost: localhost\r\n\r\n", (400,))):
            with self.subTest(request[:80]):
                self.refused(request, *allowed)
        answer = self.exchange(b"BREW /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertEqual(statuses(answer), [405])

    def test_pipelined_requests_are_answered_in_order(self):
        count = 300
        answer = self.exchange(get(b"/health", end=b"\r\n") * (count - 1) + get(b"/nowhere"))
        self.assertEqual(statuses(answer), [200] * (count - 1) + [404])

    def test_the_client_may_ask_before_it_sends(self):
        client = Client(self.server.port)
        client.send(b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 16\r\nConnection: close\r\n\r\n")
        self.assertEqual(statuses(client.socket.recv(100)), [100])
        client.send(b'{"content": "a"}')
        self.assertEqual(statuses(client.read_all()), [200])
        client.close()
        self.refused(b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413)

    # ---- bodies

    def test_bodies_of_16_mib_and_no_more(self):
        frame = b'{"content": "", "pad": ""}'
        body = frame[:-2] + b"x" * (16 * MIB - len(frame)) + frame[-2:]
        self.assertEqual(self.server.call("POST", "/tokenize", body)[0], 200)
        self.refused(post(body + b" "), 413)
        client = Client(self.server.port)  # in chunks, so that it shows only on the way
        client.send(b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b" " * MIB + b"\r\n"
        for _ in range(17):
            if not client.send(chunk):
                break
        self.assertEqual(statuses(client.read_all()), [413])
        client.close()

    def test_json_bodies(self):
        chat = json.dumps(CHAT)[1:-1].encode()
        for body in (b"", b"{", b"}", b"null", b"[]", b'"x"', b"\xff\xfe{", b"\xef\xbb\xbf{}", b"{" + chat + b"} trailing", b"{" + chat + b",}",
                     b"[" * 100_000, b'{"messages":' * 100_000, b'{"messages": ' + b"[" * 5000 + b"]" * 5000 + b"}", b"{'messages': 1}",
                     b'{"messages": "' + b"\xc3\x28" + b'"}', b'{"messages": [{"role": "user", "content": "\xed\xa0\x80"}]}',
                     b'{"messages": [{"role": "user", "content": "\xf4\x90\x80\x80"}]}', b'{"messages": [{"role": "user", "content": "\xc0\x80"}]}',
                     b'{"messages": [{"role": "user", "content": "\\ud800"}]}', b'{"messages": [{"role": "user", "content": "a\nb"}]}',
                     b'{"temperature": NaN, ' + chat + b"}", b'{"top_p": Infinity, ' + chat + b"}", b'{"top_p": 1e400, ' + chat + b"}",
                     b'{"top_p": ' + b"9" * 5000 + b", " + chat + b"}", b'{"top_p": 00.5, ' + chat + b"}", b'{"top_p": .5, ' + chat + b"}"):
            with self.subTest(body[:60]):
                self.refused(post(body), 400)

    def test_numbers_out_of_range_name_their_field(self):
        huge = (-1e308, 1e308, -2**63, 2**63, 2**64, 2**31, "1", [1], {}, True)
        for field, values in {"n": huge + (0, -1, 1.5), "max_tokens": huge[:5] + (-1, 0.5, "1", [1]), "temperature": (-1, 1e308, "x", [], -1e-9),
                              "top_p": (0, -1, 1.1, 1e308, "x"), "min_p": (-1, 2, "x"), "top_k": (-2**63, 2**63, 1e308, 0.5, "x"),
                              "seed": (1e308, 2**64, 0.5, "x"), "presence_penalty": (-3, 3, 1e308, "x"), "frequency_penalty": (-3, 3, "x"),
                              "repetition_penalty": (0, -1, 1e308, "x"), "min_tokens": (-1, 1e308, "x"), "top_logprobs": (-1, 21, 2**40, "x"),
                              "stream": ("x", 1, []), "stop": (1, [""], [1], ["x"] * 1000, {}), "logit_bias": ([], 1, {"-1": 1}, {"x": 1}, {"1e3": 1},
                              {"99999999999999999999": 1}, {"1": "x"}, {"1": 1000}), "messages": (None, [], {}, "x", [1], [[]], [{}], [{"role": 1}])}.items():
            for value in values:
                with self.subTest(f"{field}: {value}"):
                    extra = {"logprobs": True} if field == "top_logprobs" else {}
                    status, answer = self.server.post("/v1/chat/completions", **{**CHAT, **extra, field: value})
                    self.assertEqual(status, 400, answer)
                    self.assertIn(field.split(".")[0], answer["error"]["param"])
        status, _ = self.server.post("/v1/completions", prompt=[2**40], max_tokens=1)
        self.assertEqual(status, 400)
        for prompt in ([-1], [0.5], [[]], [["x"]], {}, [2**63], []):
            self.assertEqual(self.server.post("/v1/completions", prompt=prompt, max_tokens=1)[0], 400, prompt)
        for tokens in ([-1], [2**31], [2**64], ["x"], "x", {}, [[1]]):
            self.assertEqual(self.server.post("/detokenize", tokens=tokens)[0], 400, tokens)

    # ---- names and paths

    def test_no_path_leaves_the_server(self):
        for path in (b"/../../../../etc/passwd", b"/v1/../../etc/passwd", b"/v1/models/../../../../etc/passwd", b"/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
                     b"//etc/passwd", b"/v1/models//etc/passwd", b"/v1/models/%00", b"/%", b"/%zz", b"/v1/models/%", b"/..%5c..%5cwindows", b"/.git/config",
                     b"/static/../../rival", b"/v1/responses/../../x", b"/v1/models/" + b"a" * 20_000, b"/nowhere?" + b"a=b&" * 5000):
            with self.subTest(path[:60]):
                answer = self.exchange(get(path))
                self.assertIn(statuses(answer)[0], (400, 404), answer[:300])
                self.assertNotIn(b"root:", answer)
        for name in ("../../etc/passwd", "/etc/passwd", "..", ".", "\x00", "a" * 100_000, "file:///etc/passwd", "http://127.0.0.1:1/x", "smollm2:135m/../x"):
            status, answer = self.server.post("/v1/chat/completions", **CHAT, model=name)
            self.assertIn(status, (400, 404), (name[:40], answer))
            self.assertEqual(self.server.post("/tokenize", content="x", model=name)[0], status)

    # ---- many, and slow ones

    def crowd(self, count, data=b"", sources=4):
        """Connections from several addresses that have sent `data` and wait."""
        clients = []
        for i in range(count):
            client = Client(self.server.port, f"127.0.0.{1 + i % sources}")
            clients.append(client)
            self.addCleanup(client.close)
            client.send(data)
        return clients

    def within(self, seconds):
        """A question is answered in time whatever else is there."""
        begin = time.monotonic()
        self.assertEqual(self.server.post("/v1/chat/completions", **CHAT)[0], 200)
        self.assertLess(time.monotonic() - begin, seconds)

    def test_ten_thousand_idle_connections(self):
        count = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200)
        before = self.memory()
        clients = self.crowd(count)
        self.within(20)
        print(f"\n{count} idle connections: {(self.memory() - before) / MIB:.0f} MiB more", file=sys.stderr)
        asked = clients[:: count // 50]
        for client in asked:  # they can still be used
            client.send(get(b"/health", end=b"\r\n"))
        for client in asked:
            self.assertEqual(statuses(client.socket.recv(1000)), [200])
        if not SANITIZED:
            self.assertLess(self.memory() - before, 200 * MIB)

    def test_headers_and_bodies_that_never_end(self):
        before = self.memory()
        headers = self.crowd(4000, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 31_000)
        bodies = self.crowd(15, b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16000000\r\n\r\n" + b" " * 15_000_000)
        self.within(20)
        if not SANITIZED:
            self.assertLess(self.memory() - before, 200 * MIB)
        print(f"\n4,000 headers and 15 bodies that never end: {(self.memory() - before) / MIB:.0f} MiB more", file=sys.stderr)
        self.assertTrue(headers[0].is_closed())  # the oldest give way
        self.assertTrue(bodies[0].is_closed())
        self.assertFalse(bodies[-1].is_closed())

    def test_readers_that_do_not_read(self):
        request = post(json.dumps(dict(CHAT, n=16, max_tokens=64, ignore_eos=True, stream=True, logprobs=True, top_logprobs=20)).encode())
        clients = [Client(self.server.port, receive_buffer=2048) for _ in range(4)]
        for client in clients:
            client.send(request)
        time.sleep(0.5)
        self.within(60)
        before = self.memory()
        for client in clients:
            client.close()
        self.wait_until_idle()
        self.assertLess(self.memory(), before + 64 * MIB)

    def test_large_bodies_do_not_wait_with_their_answers(self):
        before = self.memory()
        asked = json.dumps(dict(CHAT, max_tokens=300, ignore_eos=True, stream=True)).encode()
        clients = self.crowd(16, post(asked + b" " * (15 * MIB)))
        for client in clients:
            self.assertEqual(statuses(client.socket.recv(100)), [200])
        if not SANITIZED:
            self.assertLess(self.memory() - before, 128 * MIB)
        for client in clients:
            client.close()
        self.wait_until_idle()

    def test_clients_that_leave(self):
        request = post(json.dumps(dict(CHAT, max_tokens=1500, ignore_eos=True, stream=True)).encode())
        for i in range(30):
            client = Client(self.server.port)
            client.send(request[:len(request) - (i % 3)])
            if i % 2:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # a reset
            client.close()
        self.wait_until_idle()
        self.within(20)

    def wait_until_idle(self):
        for _ in range(600):
            running = [line for line in self.server.call("GET", "/metrics")[1].decode().splitlines() if line.startswith(("rival_running{", "rival_waiting{"))]
            if running and all(line.endswith(" 0") for line in running):
                return
            time.sleep(0.05)
        self.fail(f"answers run on that nobody waits for: {running}")


if __name__ == "__main__":
    if "--sanitized" in sys.argv:
        sys.argv.remove("--sanitized")
        SANITIZED = True
    RIVAL = sys.argv.pop(1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    unittest.main()
