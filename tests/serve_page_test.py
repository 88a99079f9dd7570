"""The page's own API (docs/page-api.md) with the default model. Usage: serve_page_test.py RIVAL"""
import gzip
import http.client
import json
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

from fake_hub import FakeHub, File, Repository
from serve_support import Server

RIVAL = None
HEADERS = {"X-Rival": "1"}


class Events:
    """A tab: the events of /ui/api/events as they come, on a thread."""

    def __init__(self, server, after=None, headers=None):
        self.events, self.sequence = [], after
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        query = "" if after is None else f"?after={after}"
        self.connection.request("GET", "/ui/api/events" + query, headers=headers or {})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.status
        self.socket = self.connection.sock or self.response.fp.raw._sock
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        number = None
        try:
            for line in self.response:
                text = line.decode().rstrip("\n")
                if text.startswith("id: "):
                    number = int(text[4:])
                if text.startswith("data: "):
                    self.events.append((number, json.loads(text[6:])))
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.connection.close()


class PageServer(Server):
    def __init__(self, folder, *arguments, environment=None):
        super().__init__(RIVAL, "--context", "2048", "--database", str(pathlib.Path(folder) / "serve.db"), *arguments, environment=environment)

    def ui(self, method, path, body=None, headers=None, status=200):
        got, content = self.call(method, "/ui/api/" + path, body, {**HEADERS, **(headers or {})})
        assert got == status, (method, path, got, content[:500])
        return json.loads(content)

    def create(self, **body):
        return self.ui("POST", "chats", body)["chat"]["id"]

    def send(self, chat, text, parent=None, answer=None, **body):
        answer = {"settings": {"temperature": 0, "max_tokens": 12}} if answer is None else answer
        return self.ui("POST", f"chats/{chat}/messages", {"parent": parent, "text": text, **({"answer": answer} if answer else {}), **body})

    def show(self, chat):
        return self.ui("GET", f"chats/{chat}")

    def wait(self, chat, seconds=120):
        self.wait_until(lambda: not self.show(chat)["chat"]["running"], seconds)
        return {m["id"]: m for m in self.show(chat)["messages"]}

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        self.process.stdout.close()


def joined(events, message):
    """The text that a tab has from deltas, checked against their places."""
    text = ""
    for _, event in events:
        if event["type"] == "delta" and event["message"] == message and "text" in event:
            assert event["at"] == len(text.encode("utf-16-le")) // 2, (event, text)
            text += event["text"]
    return text


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.server = PageServer(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.folder)

    def ui(self, *arguments, **options):
        return self.server.ui(*arguments, **options)

    def test_an_answer_streams_to_every_tab_and_is_kept(self):
        server = self.server
        first, second = Events(server), Events(server)
        chat = server.create(system="You are brief.")
        sent = server.send(chat, "What is the capital of France?")
        answer = sent["answers"][0]
        self.assertEqual(answer["state"], "running")
        self.assertEqual(answer["parent"], sent["message"]["id"])
        final = server.wait(chat)[answer["id"]]
        self.assertIn(final["state"], ("done", "length"))
        self.assertGreater(final["usage"]["prompt_tokens"], 10)
        self.assertGreater(final["timings"]["first_token_ms"], 0)
        for tab in (first, second):
            server.wait_until(lambda: any(e["type"] == "message" and e["message"]["id"] == answer["id"] and e["message"]["state"] != "running" for _, e in tab.events))
            self.assertEqual(joined(tab.events, answer["id"]), final["text"])
            numbers = [n for n, _ in tab.events]
            self.assertEqual(numbers, sorted(set(numbers)))
            tab.close()
        tokens = self.ui("GET", f"messages/{answer['id']}/tokens")["tokens"]
        self.assertEqual("".join(t["text"] for t in tokens), final["text"])
        self.assertEqual(len(tokens[0]["top"]), 5)
        self.assertEqual(tokens[0]["top"][0]["text"], tokens[0]["text"])  # temperature 0
        server.wait_until(lambda: server.show(chat)["chat"]["title_by"] == "model", 60)
        self.assertEqual(server.show(chat)["chat"]["leaf"], answer["id"])

    def test_a_tab_that_comes_back_goes_on_where_it_was(self):
        server = self.server
        chat = server.create(title="t")
        before = server.show(chat)["sequence"]
        tab = Events(server, before)
        answer = server.send(chat, "Count to one hundred.", answer={"settings": {"temperature": 0, "max_tokens": 60}})["answers"][0]
        server.wait_until(lambda: sum(e["type"] == "delta" for _, e in tab.events) > 3)
        tab.close()
        seen = list(tab.events)
        server.wait(chat)
        again = Events(server, seen[-1][0])
        server.wait_until(lambda: any(e["type"] == "message" and e["message"]["state"] != "running" for _, e in again.events))
        again.close()
        self.assertEqual(joined(seen + again.events, answer["id"]), server.show(chat)["messages"][1]["text"])
        late = Events(server, 1)  # of another time
        server.wait_until(lambda: late.events)
        self.assertEqual(late.events[0][1]["type"], "sync")
        late.close()

    def test_edit_branch_regenerate_continue_and_stop(self):
        server = self.server
        chat = server.create(title="tree")
        first = server.send(chat, "Say one word.")
        root, a = first["message"]["id"], first["answers"][0]["id"]
        server.wait(chat)
        b = self.ui("POST", f"chats/{chat}/answers", {"parent": root, "settings": {"temperature": 0, "max_tokens": 3}})["answers"][0]["id"]
        edited = server.send(chat, "Say two words.", parent=None)
        server.wait(chat)
        messages = {m["id"]: m for m in server.show(chat)["messages"]}
        self.assertEqual([messages[i]["parent"] for i in (a, b)], [root, root])
        self.assertEqual(messages[edited["message"]["id"]]["parent"], None)
        self.assertEqual(messages[b]["state"], "length")
        on = self.ui("POST", f"chats/{chat}/continue", {"message": b, "settings": {"temperature": 0, "max_tokens": 5}})["answers"][0]
        self.assertEqual(on["id"], b)
        after = server.wait(chat)[b]
        self.assertTrue(after["text"].startswith(messages[b]["text"]))
        self.assertGreater(len(after["text"]), len(messages[b]["text"]))
        self.assertEqual(len(self.ui("GET", f"messages/{b}/tokens")["tokens"]), 8)
        long = server.send(chat, "Write a very long story.", parent=a, answer={"settings": {"temperature": 0, "max_tokens": 1500}})["answers"][0]["id"]
        server.wait_until(lambda: len({m["id"]: m for m in server.show(chat)["messages"]}[long]["text"]) > 20)
        self.assertEqual(server.show(chat)["chat"]["running"], [long])
        self.ui("POST", f"chats/{chat}/answers", {"parent": long}, status=409)
        self.ui("POST", f"chats/{chat}/stop", {})
        stopped = server.wait(chat)[long]
        self.assertEqual(stopped["state"], "stopped")
        self.assertGreater(len(stopped["text"]), 20)
        self.ui("PATCH", f"chats/{chat}", {"leaf": a})
        self.assertEqual(server.show(chat)["chat"]["leaf"], a)
        self.ui("PATCH", f"chats/{chat}", {"leaf": 10 ** 9}, status=400)

    def test_a_chat_begins_with_its_first_message_or_not_at_all(self):
        server = self.server
        everything = lambda: len(self.ui("GET", "export")["chats"])
        before = everything()
        for message, status in (({"text": ""}, 400), ({"text": "x", "parent": 1}, 404), ({"text": "x " * 5000, "answer": {}}, 400), ({"text": "x", "answer": {"model": "nobody"}}, 404),
                                ({"text": "x", "answer": {"models": ["smollm2:135m", "nobody"]}}, 404), ({"text": "x", "answer": {"settings": {"temperature": 9}}}, 400)):
            self.ui("POST", "chats", {"title": "t", "message": message}, status=status)
        self.ui("POST", "chats", {"message": "x"}, status=400)
        self.assertEqual(everything(), before)
        tab = Events(server)
        begun = self.ui("POST", "chats", {"system": "You are brief.", "message": {"text": "Say yes.", "answer": {"settings": {"temperature": 0, "max_tokens": 4}}}})
        chat, answer = begun["chat"], begun["answers"][0]
        self.assertEqual((chat["system"], chat["running"], chat["leaf"]), ("You are brief.", [answer["id"]], answer["id"]))
        self.assertEqual(answer["parent"], begun["message"]["id"])
        self.assertIn(server.wait(chat["id"])[answer["id"]]["state"], ("done", "length"))
        server.wait_until(lambda: any(e["type"] == "message" and e["message"]["id"] == answer["id"] and e["message"]["state"] != "running" for _, e in tab.events))
        tab.close()

    def test_two_answers_side_by_side(self):
        server = self.server
        chat = server.create(title="two")
        sent = server.send(chat, "Hello", answer={"models": ["smollm2:135m", "smollm2:135m"], "settings": {"max_tokens": 4}})
        self.assertEqual(len({m["group"] for m in sent["answers"]}), 1)
        self.assertEqual(len(sent["answers"]), 2)
        server.wait(chat)
        self.ui("POST", f"chats/{chat}/messages", {"parent": None, "text": "x", "answer": {"models": ["smollm2:135m", "nobody"]}}, status=404)
        self.assertEqual(len(server.show(chat)["messages"]), 3)

    def test_the_list_pins_folders_and_undo(self):
        server = self.server
        ids = [server.create(title=f"chat {i}") for i in range(5)]
        self.ui("PATCH", f"chats/{ids[0]}", {"pinned": True, "folder": "Work & Ünï"})
        page = self.ui("GET", "chats?limit=2")
        self.assertIn(ids[0], [c["id"] for c in page["pinned"]])
        self.assertIn("Work & Ünï", page["folders"])
        seen = [c["id"] for c in page["chats"]]
        while page["next"]:
            page = self.ui("GET", "chats?limit=2&before=" + page["next"])
            seen += [c["id"] for c in page["chats"]]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertTrue(set(ids[1:]) <= set(seen))
        self.assertEqual([c["id"] for c in self.ui("GET", "chats?folder=" + urllib.parse.quote("Work & Ünï"))["chats"]], [ids[0]])
        tab = Events(server)
        gone = self.ui("DELETE", f"chats/{ids[1]}")
        self.assertEqual(gone["ids"], [ids[1]])
        self.ui("GET", f"chats/{ids[1]}", status=404)
        self.assertEqual([c["id"] for c in self.ui("POST", "restore", {"ids": [ids[1], "nonsense"]})["chats"]], [ids[1]])
        server.show(ids[1])
        self.ui("DELETE", f"chats/{ids[1]}?now=1")
        self.assertEqual(self.ui("POST", "restore", {"ids": [ids[1]]})["chats"], [])
        server.wait_until(lambda: [e["type"] for _, e in tab.events] == ["deleted", "chat", "deleted"])
        tab.close()

    def test_search_with_snippets(self):
        server = self.server
        chat = server.create(title="Kräuter")
        server.send(chat, "The zebra's crossing is near the old lighthouse, said Zoë \"quoted\" AND OR NOT.", answer={})
        for query, word in (("zebra", "zebra"), ("LIGHTHO", "lighthouse"), ("zoe", "Zoë"), ('"quoted" AND', "AND")):
            hits = [h for h in self.ui("GET", "search?q=" + urllib.parse.quote(query))["hits"] if h["chat"]["id"] == chat and h["message"]]
            self.assertEqual(len(hits), 1, query)
            self.assertIn(word, [part for part in hits[0]["snippet"][1::2]], query)
        self.assertEqual([h["message"] for h in self.ui("GET", "search?q=" + urllib.parse.quote("kräut"))["hits"] if h["chat"]["id"] == chat], [None])
        for hostile in ("", "*", '"', "a NEAR(b", "text:zebra", "-zebra", "(", "\0", "%_", "x" * 5000):
            self.ui("GET", "search?q=" + urllib.parse.quote(hostile))
        self.ui("DELETE", f"chats/{chat}?now=1")
        self.assertEqual(self.ui("GET", "search?q=zebra")["hits"], [])

    def test_counting_and_what_would_be_dropped(self):
        server = self.server
        chat = server.create(title="long", system="Be kind.")
        parent = None
        for i in range(12):
            role = "user" if i % 2 == 0 else "assistant"
            parent = server.send(chat, f"message {i}: " + "word " * 200, parent=parent, answer={}, role=role)["message"]["id"]
        ids = [m["id"] for m in server.show(chat)["messages"]]
        count = self.ui("POST", "count", {"chat": chat, "parent": parent, "text": "And now?"})
        self.assertEqual(count["context"], 2048)
        self.assertGreater(count["tokens"], 2048)
        self.assertEqual(count["room"], 0)
        self.assertTrue(count["dropped"])
        self.assertEqual(count["dropped"], ids[:len(count["dropped"])])
        refused = self.ui("POST", f"chats/{chat}/messages", {"parent": parent, "text": "And now?", "answer": {"settings": {"max_tokens": 4}}}, status=400)
        self.assertEqual(refused["error"]["code"], "context_length_exceeded")
        self.assertEqual(len(server.show(chat)["messages"]), 12)
        answer = server.send(chat, "And now?", parent=parent, answer={"settings": {"max_tokens": 4}, "allow_drop": True})["answers"][0]["id"]
        final = server.wait(chat)[answer]
        self.assertEqual(final["state"], "length")
        dropped = final["usage"]["dropped"]
        self.assertEqual(dropped, ids[:len(dropped)])
        self.assertTrue(dropped)
        small = self.ui("POST", "count", {"messages": [{"role": "user", "text": "Hi"}]})
        self.assertLess(small["tokens"], 100)
        self.assertEqual(small["dropped"], [])

    def test_temporary_chats_leave_nothing(self):
        server = self.server
        before = self.ui("GET", "export")
        status, content = server.call("POST", "/ui/api/temporary", {"messages": [{"role": "user", "text": "Say temporarium."}], "settings": {"temperature": 0, "max_tokens": 8}}, HEADERS)
        self.assertEqual(status, 200)
        events = [json.loads(line[6:]) for line in content.decode().split("\n") if line.startswith("data: ")]
        self.assertEqual([events[0]["type"], events[-1]["type"]], ["message", "message"])
        self.assertEqual(events[0]["message"]["state"], "running")
        text = "".join(e.get("text", "") for e in events if e["type"] == "delta")
        self.assertEqual(events[-1]["message"]["text"], text)
        self.assertEqual(self.ui("GET", "export"), before)
        for bytes_ in (pathlib.Path(self.folder).glob("serve.db*")):
            self.assertNotIn(b"temporarium", bytes_.read_bytes())
        self.ui("POST", "temporary", {"messages": []}, status=400)

    def test_attachments_become_text(self):
        server = self.server

        def attach(name, data, status=200):
            got, content = server.call("POST", "/ui/api/attachments?name=" + urllib.parse.quote(name), data, HEADERS)
            self.assertEqual(got, status, content)
            return json.loads(content)

        self.assertEqual(attach("a.txt", "grüße\n".encode())["text"], "grüße\n")
        self.assertGreater(attach("a.txt", "grüße\n".encode())["tokens"], 1)
        self.assertEqual(attach("b.csv", "a;ü".encode("latin-1"))["text"], "a;ü")
        self.assertEqual(attach("c.txt", "\ufeffüx😀".encode("utf-16-le"))["text"], "üx😀")
        self.assertEqual(attach("d.bin", bytes(range(256)), 400)["error"]["code"], "not_text")
        self.assertEqual(attach("e.txt", b"x" * (9 << 20), 413)["error"]["code"], "too_large")
        broken = attach("f.pdf", b"%PDF-1.4\nnonsense", 400)["error"]["code"]
        self.assertEqual(broken, "broken_file" if shutil.which("pdftotext") else "pdf_needs_poppler")
        if shutil.which("pdftotext"):
            self.assertIn("Rival reads PDF", attach("g.pdf", small_pdf("Rival reads PDF"))["text"])
        chat = server.create(title="file")
        message = server.send(chat, "What is it?", answer={}, attachments=[{"name": "a.txt", "text": "hello file"}])["message"]
        self.assertEqual(message["attachments"], [{"name": "a.txt", "bytes": 10}])
        status, content = server.call("GET", f"/ui/api/messages/{message['id']}/attachments/0")
        self.assertEqual((status, content), (200, b"hello file"))
        again = server.send(chat, "Once more?", answer={}, attachments=[{"message": message["id"], "index": 0}])["message"]
        self.assertEqual(again["attachments"], message["attachments"])

    def test_export_and_import_lose_nothing(self):
        server = self.server
        chat = server.create(title="Export <me>", system="S", folder="F", settings={"temperature": 0.5})
        sent = server.send(chat, "A </script> & \u2028 line", attachments=[{"name": "n.txt", "text": "T"}])
        server.wait(chat)
        file = self.ui("GET", f"export?chat={chat}")
        self.assertEqual(file["format"], "rival-chats")
        self.assertEqual(self.ui("POST", "import", json.dumps(file))["skipped"], 1)
        with tempfile.TemporaryDirectory() as folder:
            other = PageServer(folder)
            result = other.ui("POST", "import", json.dumps(file))
            self.assertEqual((result["imported"], result["failed"]), (1, []))
            back = other.ui("GET", "export")
            strip = lambda f: [[{k: v for k, v in m.items() if k not in ("id", "parent")} for m in c["messages"]] + [{k: v for k, v in c.items() if k not in ("id", "leaf", "messages")}] for c in f["chats"]]
            self.assertEqual(strip(back), strip(file))
            self.assertEqual(other.ui("POST", "import", json.dumps(file))["skipped"], 1)
            other.stop()

    def test_foreign_exports(self):
        chatgpt = [{"title": "GPT chat", "create_time": 1700000000.5, "update_time": 1700000100, "conversation_id": "c1", "current_node": "n5", "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["n1"]},
            "n1": {"id": "n1", "parent": "root", "children": ["n2"], "message": {"author": {"role": "system"}, "content": {"content_type": "text", "parts": [""]}, "metadata": {"is_visually_hidden_from_conversation": True}}},
            "n2": {"id": "n2", "parent": "n1", "children": ["n3", "n6"], "message": {"author": {"role": "user"}, "create_time": 1700000001, "content": {"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "What is this?"]}}},
            "n3": {"id": "n3", "parent": "n2", "children": ["n5"], "message": {"author": {"role": "assistant"}, "content": {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "Let me think."}]}}},
            "n5": {"id": "n5", "parent": "n3", "children": [], "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["A cat <img src=x onerror=alert(1)>"]}, "metadata": {"model_slug": "gpt-x"}}},
            "n6": {"id": "n6", "parent": "n2", "children": [], "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["A dog"]}}}}}, {"title": "empty", "mapping": {}}, 7]
        result = self.ui("POST", "import", json.dumps(chatgpt))
        self.assertEqual((result["imported"], len(result["failed"])), (1, 2))
        shown = self.server.show(result["ids"][0])
        question, cat, dog = shown["messages"]
        self.assertEqual(question["text"], "[image_asset_pointer]\nWhat is this?")
        self.assertEqual((cat["parent"], dog["parent"]), (question["id"], question["id"]))
        self.assertEqual((cat["reasoning"], cat["model"]), ("Let me think.", "gpt-x"))
        self.assertEqual(shown["chat"]["leaf"], cat["id"])
        self.assertEqual(shown["chat"]["updated"], 1700000100000)
        llama = {"conv": {"id": "x1", "name": "Llama chat", "lastModified": 1700000000000, "currNode": "m2"}, "messages": [
            {"id": "m0", "type": "root", "role": "system", "content": "", "parent": None, "children": ["m1"], "convId": "x1", "timestamp": 1},
            {"id": "m1", "type": "text", "role": "user", "content": "Hi", "parent": "m0", "children": ["m2"], "timestamp": 1700000000001, "extra": [{"type": "TEXT", "name": "f.txt", "content": "body"}]},
            {"id": "m2", "type": "text", "role": "assistant", "content": "Hello", "reasoningContent": "hm", "parent": "m1", "children": [], "timestamp": 1700000000002}]}
        result = self.ui("POST", "import", json.dumps([llama]))
        self.assertEqual(result["imported"], 1)
        messages = self.server.show(result["ids"][0])["messages"]
        self.assertEqual([(m["role"], m["text"]) for m in messages], [("user", "Hi"), ("assistant", "Hello")])
        self.assertEqual(messages[0]["attachments"][0]["name"], "f.txt")
        self.assertEqual(self.ui("POST", "import", json.dumps(llama))["skipped"], 1)
        cycle = {"title": "c", "mapping": {"a": {"parent": "b", "message": None}, "b": {"parent": "a", "message": None}}}
        self.assertEqual(len(self.ui("POST", "import", json.dumps([cycle]))["failed"]), 1)
        for bad in ("", "{", "[]x", '"text"', "{}", "[1,2]", "[" * 100000):
            self.ui("POST", "import", bad, status=400)

    def test_models_and_their_licences(self):
        answer = self.ui("GET", "models")
        rows = {m["name"]: m for m in answer["models"]}
        own = rows["smollm2:135m"]
        self.assertTrue(own["loaded"] and own["served"] and own["chats"])
        self.assertEqual(own["licence"]["id"], "Apache-2.0")
        self.assertEqual(own["context"], 2048)
        self.assertGreater(own["bytes"], 90 << 20)
        self.assertEqual(answer["default"], "smollm2:135m")
        self.assertFalse(rows["minilm:22m"]["chats"])
        self.assertEqual(self.ui("POST", "models/download", {"name": "gemma3:270m"}, status=400)["error"]["code"], "licence_needed") if not rows["gemma3:270m"]["stored"] else None
        self.ui("POST", "models/download", {"name": "/etc/passwd"}, status=404)
        self.ui("POST", "models/download", {"name": "https://example.com/x.gguf"}, status=404)

    def test_preferences(self):
        self.ui("PUT", "preferences", {"theme": "dark", "presets": [1]})
        self.assertEqual(self.ui("GET", "preferences"), {"theme": "dark", "presets": [1]})
        self.ui("PUT", "preferences", {"x": "y" * 70000}, status=413)

    def test_wrong_requests_are_refused_by_name(self):
        server = self.server
        chat = server.create(title="w")
        rows = [("POST", "chats", {"colour": "red"}, 400), ("POST", "chats", {"settings": {"temprature": 1}}, 400), ("POST", "chats", {"settings": {"stop": "x"}}, 400), ("POST", "chats", {"settings": {"tools": [1]}}, 400),
                ("PATCH", f"chats/{chat}", {"settings": {"thinking": "no"}}, 400), ("POST", "chats", {"title": "x" * 1000}, 400),
                ("PATCH", f"chats/{chat}", {"pinned": "yes"}, 400), ("POST", f"chats/{chat}/messages", {"text": ""}, 400),
                ("POST", f"chats/{chat}/messages", {"text": "x", "parent": 999999}, 404), ("POST", f"chats/{chat}/messages", {"text": "x", "role": "root"}, 400),
                ("POST", f"chats/{chat}/messages", {"text": "x", "answer": {"settings": {"temperature": 9}}}, 400),
                ("POST", f"chats/{chat}/messages", {"text": "x", "answer": {"model": "nobody"}}, 404), ("POST", f"chats/{chat}/answers", {}, 400),
                ("POST", f"chats/{chat}/continue", {"message": 1}, 404), ("GET", "chats/0123456789abcdef", None, 404), ("GET", "chats/..%2f..", None, 404),
                ("GET", "messages/x/tokens", None, 404), ("GET", "chats?before=x", None, 400), ("GET", "nothing", None, 404), ("PUT", "chats", {}, 405),
                ("POST", "chats", b"[1]", 400), ("POST", "chats", b"\xff", 400), ("GET", "events?after=-1", None, 400)]
        for method, path, body, status in rows:
            self.ui(method, path, body, status=status)
        self.assertEqual(server.show(chat)["messages"], [])

    def test_requests_from_elsewhere_are_refused(self):
        server = self.server
        for headers in ({}, {"X-Rival": "1", "Origin": "https://evil.example"}, {"X-Rival": "1", "Origin": "null"}, {"X-Rival": "1", "Sec-Fetch-Site": "cross-site"}):
            status, content = server.call("POST", "/ui/api/chats", {}, headers)
            self.assertEqual((status, json.loads(content)["error"]["code"]), (403, "cross_site"))
        self.assertEqual(server.call("GET", "/ui/api/chats", None, {"Sec-Fetch-Site": "cross-site"})[0], 403)
        self.ui("GET", "chats", headers={"Host": "evil.example"}, status=403)
        self.ui("POST", "chats", {}, headers={"Origin": f"http://127.0.0.1:{server.port}"})

    def test_the_page_s_files(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        body = response.read()
        text = gzip.decompress(body) if response.getheader("Content-Encoding") == "gzip" else body
        self.assertIn(b"Rival", text)
        self.assertIn("script-src 'self';", response.getheader("Content-Security-Policy"))
        self.assertNotIn("unsafe", response.getheader("Content-Security-Policy"))
        self.assertEqual(response.getheader("X-Content-Type-Options"), "nosniff")
        self.assertEqual(response.getheader("Cache-Control"), "no-cache")
        connection.request("GET", "/", headers={"If-None-Match": response.getheader("ETag")})
        again = connection.getresponse()
        self.assertEqual((again.status, again.read()), (304, b""))
        connection.request("GET", "/chat/0123456789abcdef")
        self.assertIn(b"Rival", connection.getresponse().read())
        for path in ("/assets/", "/assets/../index.html", "/assets/..%2findex.html", "/assets/nothing.js", "/web/package.json"):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            self.assertEqual(response.status, 404, path)
        connection.close()


class Crash(unittest.TestCase):
    def test_what_was_shown_survives_kill_9(self):
        """At several moments: as soon as the message is taken, at the first letters, further on, and in an answer that goes on."""
        with tempfile.TemporaryDirectory() as folder:
            server = PageServer(folder)
            for letters in (0, 1, 150, 600):
                with self.subTest(letters=letters):
                    server = self.kill_and_restart(server, folder, letters)
            server.stop()

    def kill_and_restart(self, server, folder, letters):
        chat = server.create(title=f"crash {letters}")
        tab = Events(server, server.show(chat)["sequence"])
        answer = server.send(chat, "Tell a long story about the sea.", answer={"settings": {"temperature": 0, "max_tokens": 1000}})["answers"][0]["id"]
        server.wait_until(lambda: len(joined(tab.events, answer)) >= letters)
        shown, server = self.kill(server, folder, tab, answer)
        message = server.show(chat)["messages"][1]
        self.assertEqual(message["state"], "interrupted")
        self.assertTrue(message["text"].startswith(shown), (message["text"], shown))
        self.assertLess(len(message["text"]) - len(shown), 200)
        back = Events(server, tab.events[-1][0])
        server.wait_until(lambda: back.events)
        self.assertEqual(back.events[0][1]["type"], "sync")
        back.close()
        if len(message["text"].split()) < 5:
            self.assertEqual(server.show(chat)["messages"][0]["text"], "Tell a long story about the sea.")
            return server
        self.assertTrue(self.found(server, message["text"].split()[3]))
        # Once more, while the answer goes on from where it was.
        tab = Events(server, server.show(chat)["sequence"])
        server.ui("POST", f"chats/{chat}/continue", {"message": answer, "settings": {"temperature": 0, "max_tokens": 900}})
        more = lambda: "".join(e.get("text", "") for _, e in tab.events if e["type"] == "delta" and e["message"] == answer)
        server.wait_until(lambda: len(more()) > 20)
        _, server = self.kill(server, folder, tab, None)
        again = server.show(chat)["messages"][1]
        self.assertEqual(again["state"], "interrupted")
        self.assertTrue(again["text"].startswith(message["text"] + more()), (again["text"], message["text"], more()))
        server.ui("POST", f"chats/{chat}/continue", {"message": answer, "settings": {"temperature": 0, "max_tokens": 5}})
        self.assertTrue(server.wait(chat)[answer]["text"].startswith(again["text"]))
        return server

    def test_calls_and_titles_survive_kill_9(self):
        """A tool's arguments that are half written, and the moment at which the answer has just ended and the model makes a title."""
        with tempfile.TemporaryDirectory() as folder:
            server = PageServer(folder)
            tool = {"type": "function", "function": {"name": "note", "parameters": {"type": "object", "properties": {"text": {"type": "string", "minLength": 400}}, "required": ["text"]}}}
            chat = server.create(title="calls", settings={"tools": [tool], "tool_choice": "required"})
            tab = Events(server, server.show(chat)["sequence"])
            answer = server.send(chat, "Note a story.", answer={"settings": {"temperature": 0, "max_tokens": 600}})["answers"][0]["id"]
            calls = lambda: [e["tool_calls"] for _, e in tab.events if e["type"] == "delta" and "tool_calls" in e]
            server.wait_until(lambda: calls() and len(calls()[-1][0]["arguments"]) > 60)
            _, server = self.kill(server, folder, tab, None)
            message = server.show(chat)["messages"][1]
            self.assertEqual((message["id"], message["state"]), (answer, "interrupted"))
            self.assertEqual(message["tool_calls"][0]["name"], "note")
            self.assertTrue(message["tool_calls"][0]["arguments"].startswith(calls()[-1][0]["arguments"]))
            chat = server.ui("POST", "chats", {"message": {"text": "Say yes.", "answer": {"settings": {"temperature": 0, "max_tokens": 8}}}})["chat"]["id"]
            final = list(server.wait(chat).values())
            server.kill()
            server = PageServer(folder)
            self.assertEqual(server.show(chat)["messages"], final)
            server.stop()

    def kill(self, server, folder, tab, answer):
        """What the tab has seen, and the server started anew."""
        server.kill()
        tab.thread.join(10)
        return joined(tab.events, answer) if answer else None, PageServer(folder)

    def found(self, server, word):
        return server.ui("GET", "search?q=" + urllib.parse.quote(word))["hits"]

    def test_a_stop_of_the_server_lets_tabs_go_and_keeps_the_answer(self):
        with tempfile.TemporaryDirectory() as folder:
            server = PageServer(folder, "--drain", "20")
            tab = Events(server)
            started = time.monotonic()
            server.stop()
            self.assertLess(time.monotonic() - started, 10)
            tab.thread.join(5)
            server = PageServer(folder, "--drain", "1")
            chat = server.create(title="stop")
            server.send(chat, "Write the numbers from 1 to 1000, one a line.", answer={"settings": {"temperature": 0, "max_tokens": 1500}})
            server.wait_until(lambda: len(server.show(chat)["messages"][1]["text"]) > 10)
            server.stop()
            server = PageServer(folder)
            self.assertEqual(server.show(chat)["messages"][1]["state"], "interrupted")
            server.stop()


class Downloads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = json.loads(subprocess.run([RIVAL, "pull", "smollm2:135m", "--json"], capture_output=True, text=True, check=True).stdout)[0]["path"]

    def setUp(self):
        self.hub = FakeHub()
        self.addCleanup(self.hub.close)
        self.files = self.hub.repositories["org/m"] = Repository({})
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.rows = []

    def add(self, name, data, licence=None, **file):
        self.files.files[f"{name}.gguf"] = made = File(data, **file)
        self.rows.append({"name": f"{name}:1m", "kind": "instruct", "parameters": "1M", "quantisation": "F16", "licence": licence or {"id": "MIT", "url": "https://example.org/l"},
                          "origin": "us", "context": 128, "note": "n", "files": [{"from": [f"hf:org/m/{name}.gguf"], "bytes": made.announced_bytes or len(data)}]})
        return made

    def start(self):
        (pathlib.Path(self.folder) / "catalogue.json").write_text(json.dumps({"models": self.rows}))
        self.server = PageServer(self.folder, "--model", self.model, environment={"RIVAL_HOME": self.folder, "HF_ENDPOINT": self.hub.url, "HF_HOME": self.folder, "RIVAL_RETRY_MS": "1"})
        self.addCleanup(self.server.stop)
        self.tab = Events(self.server)
        self.addCleanup(self.tab.close)
        return self.server

    def listed(self, name):
        return {m["name"]: m for m in self.server.ui("GET", "models")["models"]}[name]

    def ends(self, name, state):
        """The event that tells the end."""
        self.server.wait_until(lambda: self.tab.events and self.tab.events[-1][1].get("name") == name and self.tab.events[-1][1]["state"] == state)
        return self.tab.events[-1][1]

    def test_a_model_comes_with_progress_and_can_be_broken_off(self):
        data = random.Random(7).randbytes(3 << 20)
        file = self.add("tiny", data, {"id": "Strict", "url": "https://example.org/l", "accept": True}, bytes_per_s=2 << 20)
        server = self.start()
        self.assertEqual((self.listed("tiny:1m")["stored"], self.listed("tiny:1m")["download_bytes"]), (False, len(data)))
        self.assertTrue(self.listed("tiny:1m")["licence"]["accept"])
        refused = server.ui("POST", "models/download", {"name": "tiny:1m"}, status=400)
        self.assertEqual(refused["error"]["code"], "licence_needed")
        server.ui("POST", "models/download", {"name": "tiny:1m", "accept_licence": True}, status=202)
        server.wait_until(lambda: any(e["type"] == "download" and 0 < e["done"] < e["total"] for _, e in self.tab.events))
        self.assertEqual(self.listed("tiny:1m")["download"]["state"], "running")
        server.ui("POST", "models/cancel", {"name": "tiny:1m"})
        self.assertEqual(self.ends("tiny:1m", "error")["code"], "stopped")
        self.assertEqual(self.listed("tiny:1m")["download"]["code"], "stopped")
        self.assertFalse(self.listed("tiny:1m")["stored"])
        self.assertFalse(self.listed("tiny:1m")["licence"]["accept"])
        file.bytes_per_s = None
        server.ui("POST", "models/download", {"name": "tiny:1m"}, status=202)  # what was accepted stays so
        self.assertEqual(self.ends("tiny:1m", "done")["done"], len(data))
        self.assertTrue(self.listed("tiny:1m")["stored"])
        self.assertNotIn("download", self.listed("tiny:1m"))
        self.assertTrue(any("Range" in headers for *_, headers in self.hub.seen("storage")))

    def test_what_fails_says_why(self):
        data = random.Random(8).randbytes(1 << 16)
        damaged = self.add("damaged", data, corrupt=True)
        self.add("cut", data, cuts=[0] * 50)
        server = self.start()
        for name, code, words in (("damaged", "damaged", "SHA-256"), ("cut", "network", "")):
            server.ui("POST", "models/download", {"name": f"{name}:1m"}, status=202)
            end = self.ends(f"{name}:1m", "error")
            self.assertEqual(end["code"], code, end)
            self.assertIn(words, end["message"])
            self.assertEqual(self.listed(f"{name}:1m")["download"]["code"], code)
            self.assertFalse(self.listed(f"{name}:1m")["stored"])
        damaged.corrupt = False
        server.ui("POST", "models/download", {"name": "damaged:1m"}, status=202)
        self.ends("damaged:1m", "done")
        self.hub.close()
        server.ui("POST", "models/download", {"name": "cut:1m"}, status=202)
        self.assertEqual(self.ends("cut:1m", "error")["code"], "network")

    def test_one_comes_after_the_other_and_one_that_waits_is_let_go(self):
        data = random.Random(9).randbytes(2 << 20)
        self.add("first", data, bytes_per_s=2 << 20)
        self.add("second", data[::-1])
        self.add("third", data[1:])
        server = self.start()
        for name in ("first", "second", "third", "first"):
            server.ui("POST", "models/download", {"name": f"{name}:1m"}, status=202)
        self.assertEqual(self.listed("second:1m")["download"]["state"], "waiting")
        server.ui("POST", "models/cancel", {"name": "second:1m"})
        self.assertNotIn("download", self.listed("second:1m"))
        self.ends("third:1m", "done")
        self.assertEqual([self.listed(f"{name}:1m")["stored"] for name in ("first", "second", "third")], [True, False, True])


def small_pdf(text):
    """One page with one line."""
    stream = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode()
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
               b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    out, places = b"%PDF-1.4\n", []
    for i, o in enumerate(objects):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (i + 1, o)
    table = b"".join(b"%010d 00000 n \n" % p for p in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
