"""A server that behaves like the Hugging Face hub and its storage, as far as a client can tell.

Two servers run, as in life on two hosts: the hub answers for repositories and redirects to the storage for large
files; the storage serves ranges. How the storage misbehaves is set per file.
"""
import hashlib
import http.server
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class File:
    data: bytes
    large: bool = True             # kept in the storage, named by SHA-256
    announced_bytes: int = None    # another size than the file has
    cuts: list = field(default_factory=list)  # the n-th transfer ends after so many bytes; None: whole
    corrupt: bool = False
    bytes_per_s: int = None
    ranges: bool = True


@dataclass
class Repository:
    files: dict
    gated: bool = False
    extra_listed: list = field(default_factory=list)


class FakeHub:
    TOKEN = "hf_secret"

    def __init__(self):
        self.repositories = {}
        self.requests = []  # (server, method, path, headers)
        self.pages = 2      # entries of a list a page
        self.hub = self._serve(HubHandler)
        self.storage = self._serve(StorageHandler)
        self.url = "http://127.0.0.1:%d" % self.hub.server_port
        self.storage_url = "http://localhost:%d" % self.storage.server_port

    def _serve(self, handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.fake = self
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    def close(self):
        for server in (self.hub, self.storage):
            server.shutdown()
            server.server_close()

    def seen(self, server, method="GET"):
        return [r for r in self.requests if r[0] == server and r[1] == method]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_name_in_log = ""

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except OSError:  # the client went away, as it should in some tests
            pass

    def note(self):
        self.server.fake.requests.append((self.server_name_in_log, self.command, self.path, dict(self.headers)))

    def answer(self, status, headers=None, body=b""):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    # The rest of the file from the Range header on, as the file's own faults have it.
    def send_file(self, file, etag):
        data = bytes(b ^ 1 for b in file.data[:1]) + file.data[1:] if file.corrupt else file.data
        begin, status = 0, 200
        headers = {"ETag": '"%s"' % etag, "Accept-Ranges": "bytes"}
        wanted = self.headers.get("Range")
        fresh = self.headers.get("If-Range") in (None, '"%s"' % etag)
        if wanted and file.ranges and fresh:
            begin = int(wanted.removeprefix("bytes=").split("-")[0])
            if begin >= len(data):
                return self.answer(416, {"Content-Range": "bytes */%d" % len(data)})
            status = 206
            headers["Content-Range"] = "bytes %d-%d/%d" % (begin, len(data) - 1, len(data))
        body = data[begin:]
        headers["Content-Length"] = str(len(body))
        cut = file.cuts.pop(0) if file.cuts and self.command == "GET" else None
        if cut is not None:
            self.answer(status, headers, body[:cut])
            self.wfile.flush()
            self.close_connection = True
            return
        if not file.bytes_per_s or self.command == "HEAD":
            return self.answer(status, headers, body)
        self.answer(status, headers, b"")
        step = max(1, file.bytes_per_s // 20)
        for at in range(0, len(body), step):
            try:
                self.wfile.write(body[at:at + step])
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)


class HubHandler(Handler):
    server_name_in_log = "hub"

    def do_GET(self):
        self.note()
        url = urllib.parse.urlparse(self.path)
        parts = urllib.parse.unquote(url.path).strip("/").split("/")
        if parts[:1] == ["plain"]:
            return self.plain(parts[1:])
        if parts[:2] == ["api", "models"]:
            return self.listing(parts[2:], urllib.parse.parse_qs(url.query))
        if len(parts) >= 5 and parts[2] == "resolve":
            return self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        self.answer(200 if url.path == "/" else 404)

    # Addresses without a hub's announcements.
    def plain(self, parts):
        if parts[0] == "loop":
            return self.answer(302, {"Location": "/plain/loop/x.gguf"})
        if parts[0] == "to-file":
            return self.answer(302, {"Location": "file:///etc/passwd"})
        file = self.server.fake.repositories["plain"].files[parts[-1]]
        self.send_file(file, hashlib.md5(file.data).hexdigest())

    def repository(self, name):
        found = self.server.fake.repositories.get(name)
        if found is None:
            self.answer(401, {"X-Error-Code": "RepoNotFound"})
            return None
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if found.gated and token != FakeHub.TOKEN:
            self.answer(403 if token else 401, {"X-Error-Code": "GatedRepo"})
            return None
        return found

    def resolve(self, name, revision, path):
        found = self.repository(name)
        if found is None:
            return
        if revision not in ("main", COMMIT):
            return self.answer(404, {"X-Error-Code": "RevisionNotFound"})
        file = found.files.get(path)
        if file is None:
            return self.answer(404, {"X-Error-Code": "EntryNotFound"})
        headers = {"X-Repo-Commit": COMMIT}
        if not file.large:
            headers.update({"ETag": '"%s"' % git_sha1(file.data), "Content-Length": str(len(file.data))})
            return self.answer(200, headers, file.data)
        sha256 = hashlib.sha256(file.data).hexdigest()
        headers.update({"X-Linked-Etag": '"%s"' % sha256,
                        "X-Linked-Size": str(file.announced_bytes or len(file.data)),
                        "Location": "%s/%s/%s?signature=x" % (self.server.fake.storage_url, name, path)})
        self.answer(302, headers)

    def listing(self, parts, query):
        name = "/".join(parts[:2])
        found = self.repository(name)
        if found is None:
            return
        if parts[3] not in ("main", COMMIT):
            return self.answer(404, {"X-Error-Code": "RevisionNotFound"})
        entries = [{"type": "file", "path": p, "size": len(f.data)} for p, f in found.files.items()]
        entries = [{"type": "directory", "path": "folder"}] + found.extra_listed + entries
        begin = int(query.get("cursor", ["0"])[0])
        end = begin + self.server.fake.pages
        headers = {"Content-Type": "application/json"}
        if end < len(entries):
            address = "%s/api/models/%s/tree/main?recursive=true&cursor=%d" % (self.server.fake.url, name, end)
            headers["Link"] = '<%s>; rel="next"' % address
        self.answer(200, headers, json.dumps(entries[begin:end]).encode())


class StorageHandler(Handler):
    server_name_in_log = "storage"

    def do_GET(self):
        self.note()
        parts = urllib.parse.unquote(urllib.parse.urlparse(self.path).path).strip("/").split("/")
        file = self.server.fake.repositories["/".join(parts[:2])].files["/".join(parts[2:])]
        self.send_file(file, hashlib.sha256(file.data).hexdigest())
