"""Keys of the page's own API: who sees what, and who pays. Usage: serve_page_keys_test.py RIVAL"""
import http.client
import json
import pathlib
import sys
import tempfile
import unittest

import serve_page_test
from serve_page_test import HEADERS, Events, PageServer


class Keys(unittest.TestCase):
    def test_each_key_sees_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            server = PageServer(folder, "--key", "alpha-key", "--key", "beta-key")
            self.assertEqual({k: v for k, v in server.ui("GET", "info").items() if k in ("needs_key", "signed_in")}, {"needs_key": True, "signed_in": False})
            self.assertEqual(server.ui("GET", "chats", status=401)["error"]["code"], "session_needed")
            self.assertEqual(server.call("GET", "/")[0], 200)
            cookies = {}
            for key in ("alpha-key", "beta-key"):
                cookies[key] = self.sign_in(server, key)
            self.assertEqual(self.login(server, "wrong")[0], 401)
            a, b = ({"Cookie": cookies[key]} for key in ("alpha-key", "beta-key"))
            chat = server.ui("POST", "chats", {"title": "mine"}, headers=a)["chat"]["id"]
            message = server.ui("POST", f"chats/{chat}/messages", {"text": "secretword"}, headers=a)["message"]["id"]
            for method, path, body in (("GET", f"chats/{chat}", None), ("PATCH", f"chats/{chat}", {"title": "x"}), ("DELETE", f"chats/{chat}", None),
                                       ("POST", f"chats/{chat}/stop", {}), ("GET", f"messages/{message}/tokens", None), ("GET", f"export?chat={chat}", None)):
                server.ui(method, path, body, headers=b, status=404)
            self.assertEqual(server.ui("GET", "search?q=secretword", headers=b)["hits"], [])
            self.assertEqual(server.ui("GET", "chats", headers=b)["chats"], [])
            self.assertEqual(server.ui("POST", "restore", {"ids": [chat]}, headers=b)["chats"], [])
            self.assertEqual(len(server.ui("GET", "search?q=secretword", headers=a)["hits"]), 1)
            tab = Events(server, headers=b)
            server.ui("PATCH", f"chats/{chat}", {"title": "changed"}, headers=a)
            server.ui("POST", "chats", {"title": "theirs"}, headers=b)
            server.wait_until(lambda: tab.events)
            self.assertEqual([e["chat"]["title"] for _, e in tab.events], ["theirs"])
            tab.close()
            self.assertEqual(server.call("GET", "/v1/models", None, a)[0], 401)  # the cookie is the page's alone
            server.ui("GET", "chats", headers={"Authorization": "Bearer alpha-key"})
            server.kill()
            server = PageServer(folder, "--key", "alpha-key")
            self.assertEqual(server.ui("GET", f"chats/{chat}", headers=a)["chat"]["title"], "changed")
            server.ui("GET", "chats", headers=b, status=401)  # its key is gone
            server.ui("DELETE", "session", headers=a)
            server.ui("GET", "chats", headers=a, status=401)
            for _ in range(12):
                status = self.login(server, "guess")[0]
            self.assertEqual(status, 429)
            server.stop()

    def test_answers_count_against_their_key(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "access.log"
            server = PageServer(folder, "--key", "alpha-key", "--key", "beta-key", "--tokens-per-minute", "30", "--access-log", str(log))
            a, b = ({"Cookie": self.sign_in(server, key)} for key in ("alpha-key", "beta-key"))
            answer = {"settings": {"temperature": 0, "max_tokens": 30}}
            chats = [server.ui("POST", "chats", {"title": "t"}, headers=h)["chat"]["id"] for h in (a, b)]
            server.ui("POST", f"chats/{chats[0]}/messages", {"text": "Hi", "answer": answer}, headers=a)
            server.wait_until(lambda: not server.ui("GET", f"chats/{chats[0]}", headers=a)["chat"]["running"])
            usage = server.ui("GET", f"chats/{chats[0]}", headers=a)["messages"][-1]["usage"]
            self.assertGreater(usage["prompt_tokens"] + usage["completion_tokens"], 30)
            server.wait_until(lambda: f"prompt={usage['prompt_tokens']} " in log.read_text())
            line = next(li for li in log.read_text().splitlines() if "completion=" in li)
            self.assertIn(f"completion={usage['completion_tokens']} ", line)
            # Nothing is left for another answer, nor for the API; the other key has its own.
            error = server.ui("POST", f"chats/{chats[0]}/messages", {"text": "More", "answer": answer}, headers=a, status=429)["error"]
            self.assertEqual(error["code"], "rate_limit_exceeded")
            server.ui("POST", "temporary", {"messages": [{"role": "user", "text": "Hi"}]}, headers=a, status=429)
            self.assertEqual(server.call("POST", "/v1/completions", {"prompt": "x", "max_tokens": 1}, {"x-api-key": "alpha-key"})[0], 429)
            server.ui("POST", f"chats/{chats[0]}/messages", {"text": "Only kept"}, headers=a)
            server.ui("POST", f"chats/{chats[1]}/messages", {"text": "Hi", "answer": answer}, headers=b)
            server.stop()

    def login(self, server, key):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/ui/api/session", json.dumps({"key": key}), HEADERS)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status, response.getheader("Set-Cookie")

    def sign_in(self, server, key):
        status, cookie = self.login(server, key)
        self.assertEqual(status, 200)
        self.assertIn("HttpOnly", cookie)
        self.assertIn("SameSite=Strict", cookie)
        return cookie.split(";")[0]


if __name__ == "__main__":
    serve_page_test.RIVAL = sys.argv.pop(1)
    unittest.main()
