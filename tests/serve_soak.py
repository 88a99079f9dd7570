"""`rival serve` under many clients that leave, read slowly and send rubbish: nothing fails that they did not cause, memory
stays flat, every answer comes whole or fails cleanly. Usage: serve_soak.py RIVAL [--seconds 60] [--clients 64] [--sanitized]"""
import argparse
import collections
import json
import os
import random
import socket
import statistics
import sys
import threading
import time

import serve_support

CONTEXT = 256
RUBBISH = [b"\x00\xff\x16\x03\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
           b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           b"GET /" + b"a" * 50_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"]
BAD_BODIES = [b"{", b"[" * 10_000, b"\xff", b'{"messages": []}', b'{"messages": [{"role": "x"}]}', b'{"messages": [{"role": "user", "content": "x"}], "n": -1}',
              b'{"messages": [{"role": "user", "content": "' + b"word " * 2000 + b'"}]}', b'{"model": "nobody", "messages": [{"role": "user", "content": "x"}]}',
              b'{"messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/x"}}}}']


class Failure(Exception):
    pass


def request(body, path="/v1/chat/completions"):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


class Client:
    def __init__(self, port, seed, patience):
        self.port, self.rng, self.patience = port, random.Random(seed), patience
        self.counts = collections.Counter()
        self.socket, self.data = None, b""

    def chat_body(self, stream):
        words = " ".join(self.rng.choice(["harbour", "letter", "why", "seven", "blue", "never", "is", "the", "a"]) for _ in range(self.rng.randrange(1, 120)))
        body = {"messages": [{"role": "user", "content": words}], "max_tokens": self.rng.randrange(1, 48), "ignore_eos": True,
                "temperature": self.rng.choice([0, 0.8]), "stream": stream, "n": self.rng.choice([1, 1, 1, 2])}
        if self.rng.random() < 0.1:
            body["response_format"] = {"type": "json_object"}
        if self.rng.random() < 0.1:
            body.update(logprobs=True, top_logprobs=5)
        return json.dumps(body).encode()

    def connect(self):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=self.patience)
            self.data = b""

    def close(self):
        if self.socket:
            if self.rng.random() < 0.3:  # with a reset
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.socket.close()
        self.socket = None

    def receive(self, slowly=False):
        if slowly:
            time.sleep(self.rng.random() * 0.05)
        piece = self.socket.recv(64 if slowly else 1 << 16)
        if not piece:
            raise Failure(f"the server closed the connection after {self.data[-200:]}")
        self.data += piece

    def read_answer(self, slowly=False):
        """Status, header and body of one answer."""
        while b"\r\n\r\n" not in self.data:
            self.receive(slowly)
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        status = int(head[9:12])
        if b"chunked" not in head:
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(self.data) < length:
                self.receive(slowly)
            body, self.data = self.data[:length], self.data[length:]
            return status, head, body
        body = b""
        while True:
            while b"\r\n" not in self.data:
                self.receive(slowly)
            size = int(self.data.split(b"\r\n", 1)[0], 16)
            start = self.data.index(b"\r\n") + 2
            while len(self.data) < start + size + 2:
                self.receive(slowly)
            body += self.data[start:start + size]
            self.data = self.data[start + size + 2:]
            if size == 0:
                return status, head, body

    def whole(self, slowly=False):
        """A chat that must come whole."""
        stream = slowly or self.rng.random() < 0.7
        asked = self.chat_body(stream)
        self.socket.sendall(request(asked))
        status, _, body = self.read_answer(slowly)
        if status != 200:
            raise Failure(f"{status}: {body[:300]}")
        if stream:
            events = body.decode().strip().split("\n\n")
            if events[-1] != "data: [DONE]" or not any('"finish_reason":"' in e for e in events) or any('"error"' in e for e in events):
                wrong = [e for e in events if '"error"' in e] or events[-2:]
                raise Failure(f"a stream that is not whole: {wrong} for {asked}")
        elif not all(c["finish_reason"] for c in json.loads(body)["choices"]):
            raise Failure(f"an answer that is not whole: {body[:300]}")

    def leave(self):
        data = request(self.chat_body(True))
        self.socket.sendall(data[:self.rng.randrange(1, len(data) + 1)])
        time.sleep(self.rng.random() * 0.3)
        self.close()

    def bad_body(self):
        self.socket.sendall(request(self.rng.choice(BAD_BODIES)))
        status, _, body = self.read_answer()
        if not 400 <= status < 500 or "error" not in json.loads(body):
            raise Failure(f"{status} for a bad body: {body[:300]}")

    def rubbish(self):
        self.close()
        self.connect()
        self.socket.sendall(self.rng.choice(RUBBISH))
        status, _, body = self.read_answer()
        if not 400 <= status < 500 or "error" not in json.loads(body):
            raise Failure(f"{status} for rubbish: {body[:300]}")
        self.close()

    def run(self, end, failures):
        actions = [self.whole] * 6 + [lambda: self.whole(slowly=True), self.leave, self.bad_body, self.rubbish]
        names = ["whole"] * 6 + ["slow", "left", "bad body", "rubbish"]
        while time.monotonic() < end and not failures:
            choice = self.rng.randrange(len(actions))
            try:
                self.connect()
                actions[choice]()
                self.counts[names[choice]] += 1
            except (Failure, OSError, ValueError) as failure:
                failures.append(f"{names[choice]}: {type(failure).__name__} {failure}")
                return
        self.close()


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))


def metric(server, name):
    text = server.call("GET", "/metrics")[1].decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"rival_{name}{{"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rival")
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("RIVAL_SOAK_SECONDS", 60)))
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--sanitized", action="store_true")
    args = parser.parse_args()
    server = serve_support.Server(args.rival, "--context", str(CONTEXT), "--streams", "64")
    failures, begin = [], time.monotonic()
    end = begin + args.seconds
    clients = [Client(server.port, seed, 1200 if args.sanitized else 120) for seed in range(args.clients)]
    threads = [threading.Thread(target=client.run, args=(end, failures)) for client in clients]
    for thread in threads:
        thread.start()
    samples, pages_full = [], None  # memory is flat once every KV page has been touched
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.5)
        samples.append((time.monotonic(), resident(server.process.pid)))
        if pages_full is None and metric(server, "kv_pages_used") + metric(server, "kv_pages_cached") >= 0.98 * metric(server, "kv_pages"):
            pages_full = samples[-1][0]
    for _ in range(600):
        if metric(server, "running") + metric(server, "waiting") == 0:
            break
        time.sleep(0.1)
    else:
        failures.append("answers run on that nobody waits for")
    if metric(server, "failed_total") > 0:
        failures.append(f"{metric(server, 'failed_total'):.0f} answers failed in the engine")
    server.stop()
    total = sum((client.counts for client in clients), collections.Counter())
    print(f"{time.monotonic() - begin:.0f} s, {args.clients} clients: {dict(total)}")
    settled = [mib for at, mib in samples if pages_full and at > pages_full + 0.1 * args.seconds]
    if len(settled) >= 20 and not args.sanitized:
        quarter = len(settled) // 4
        first, last = statistics.median(settled[:quarter]), statistics.median(settled[-quarter:])
        print(f"memory {first:.0f} MiB after warm-up, {last:.0f} MiB at the end")
        if abs(last / first - 1) > 0.05:
            failures.append(f"memory went from {first:.0f} to {last:.0f} MiB")
    else:
        print("memory is not judged: too short, or a sanitizer's own")
    if failures:
        sys.exit("\n".join(failures[:5]))


if __name__ == "__main__":
    main()
