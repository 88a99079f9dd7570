"""Bodies that no honest client sends: whatever stands where, the answer is no 5xx, which clients would try again, and
errors have the shape of the API that was called."""
import http.client
import json
import sys
import unittest

from serve_support import Server

RIVAL = None
CHAT, EMBED = "smollm2:135m", "minilm:22m"
USER = {"role": "user", "content": "hi"}
TOOL = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}

# Valid bodies with most fields of each API; each answers with one token.
BODIES = {
    "/v1/chat/completions": {"model": CHAT, "messages": [{"role": "system", "content": [{"type": "text", "text": "x"}]}, USER], "max_tokens": 1,
                             "temperature": 0, "top_p": 1, "n": 1, "stop": ["x"], "stream": False, "logprobs": True, "top_logprobs": 1, "seed": 1,
                             "logit_bias": {"5": 1}, "response_format": {"type": "text"}, "presence_penalty": 0, "stream_options": None,
                             "tools": [{"type": "function", "function": TOOL}], "tool_choice": "none", "parallel_tool_calls": True},
    "/v1/completions": {"model": CHAT, "prompt": "x", "max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": False, "stop": "x"},
    "/v1/embeddings": {"model": EMBED, "input": ["x"], "encoding_format": "float"},
    "/v1/messages": {"model": CHAT, "max_tokens": 1, "system": [{"type": "text", "text": "x"}], "temperature": 0, "top_p": 1, "top_k": 1,
                     "messages": [USER, {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": ""}, {"type": "text", "text": "x"},
                                                                          {"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
                                  {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "is_error": False, "content": [{"type": "text", "text": "x"}]}]}],
                     "tools": [{"name": "f", "description": "d", "input_schema": TOOL["parameters"]}], "tool_choice": {"type": "none"},
                     "stop_sequences": ["x"], "metadata": {"user_id": "u"}, "thinking": {"type": "disabled"}, "stream": False},
    "/v1/messages/count_tokens": {"model": CHAT, "messages": [USER], "system": "x"},
    "/api/chat": {"model": CHAT, "messages": [{"role": "assistant", "content": "x", "thinking": "x", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
                                              {"role": "tool", "content": "x", "tool_name": "f"}, USER],
                  "options": {"num_predict": 1, "temperature": 0, "stop": ["x"], "num_ctx": 384, "seed": 1, "mirostat": 0}, "stream": False, "format": "", "think": False,
                  "keep_alive": "5m", "logprobs": True, "top_logprobs": 1, "truncate": False,
                  "tools": [{"type": "function", "function": TOOL}]},
    "/api/generate": {"model": CHAT, "prompt": "x", "system": "x", "raw": False, "options": {"num_predict": 1}, "stream": False, "context": []},
    "/api/embed": {"model": EMBED, "input": ["x"], "truncate": True},
    "/api/embeddings": {"model": EMBED, "prompt": "x"},
    "/api/show": {"model": CHAT},
    "/tokenize": {"model": CHAT, "content": "x", "add_special": True},
    "/detokenize": {"model": CHAT, "tokens": [1]},
}
STRANGE = [None, True, 0, -1, 1.5, 10**18, 1e300, "", "x", "\ud800", [], [None], [[]], [{}], {}, {"x": None}, {"type": 3}]


def places(value, path=()):
    """The path of every value inside."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, path + (key,))


def put(body, path, value):
    copy = json.loads(json.dumps(body))
    place = copy
    for key in path[:-1]:
        place = place[key]
    if value is Ellipsis:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


class Bodies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(RIVAL, "--context", "512", "--model", CHAT, "--model", EMBED)
        cls.connection = http.client.HTTPConnection("127.0.0.1", cls.server.port, timeout=60)

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        cls.server.stop()

    def check(self, path, body):
        """The status; errors tell a message in the API's own shape."""
        text = body if isinstance(body, bytes) else json.dumps(body)
        self.connection.request("POST", path, text)
        response = self.connection.getresponse()
        status, content = response.status, response.read()
        about = f"{path} {str(body)[:400]}: {status} {content[:300]}"
        self.assertLess(status, 500, about)
        if status >= 400:
            answer = json.loads(content)
            error = answer["error"]
            self.assertTrue(error if path.startswith("/api/") else error["message"], about)
            self.assertEqual(answer.get("type") == "error", path.startswith("/v1/messages"), about)
        return status

    def test_the_bodies_are_valid(self):
        for path, body in BODIES.items():
            self.assertEqual(self.check(path, body), 200, path)

    def test_a_strange_value_in_every_place(self):
        for path, body in BODIES.items():
            for place in places(body):
                if place[-1] in ("max_tokens", "num_predict", "model"):
                    continue
                for value in STRANGE + [...]:
                    if place == ("options",) and (value in (None, ...) or isinstance(value, dict)):
                        continue  # without num_predict the answer is a long one
                    self.check(path, put(body, place, value))

    def test_a_strange_length_or_model(self):
        for path, body in BODIES.items():
            for value in (None, "x", [], {}, -5, 1.5, 1e300):
                for place in places(body):
                    if place[-1] == "model" or (place[-1] in ("max_tokens", "num_predict") and value is not None):
                        self.check(path, put(body, place, value))

    def test_no_object_at_all(self):
        for path in BODIES:
            for body in ("", "{", "[]", "null", "3", '"x"', "{} {}", "\xff", '{"model": "x", }', "[" * 100_000, '{"a":' * 100_000, "{}"):
                status = self.check(path, body.encode("latin-1"))
                self.assertTrue(status == 400 or body == "{}", (path, body[:20], status))

    def test_deep_and_large_ones(self):
        deep = json.loads("[" * 100 + "]" * 100)
        for path, body in BODIES.items():
            for key in body:
                if key != "model":
                    self.check(path, {**body, key: deep})
            self.assertEqual(self.check(path, {**body, "extra": "x" * (15 << 20)}), 200)
        for path, field in (("/v1/messages", "messages"), ("/v1/chat/completions", "messages"), ("/api/chat", "messages")):
            self.assertEqual(self.check(path, {**BODIES[path], field: [{"role": "user", "content": "word " * (3 << 20)}]}), 400)
            self.assertEqual(self.check(path, {**BODIES[path], field: [USER] * 150_000}), 400)

    def test_roles_and_empty_messages(self):
        for path in ("/v1/messages", "/v1/chat/completions", "/api/chat"):
            for messages in ([{"role": "robot", "content": "x"}], [{"content": "x"}], [{"role": "user"}] if path != "/api/chat" else [{"role": ""}], [{}], ["x"]):
                self.assertEqual(self.check(path, {**BODIES[path], "messages": messages}), 400, messages)
        for path in ("/v1/messages", "/v1/chat/completions"):
            self.assertEqual(self.check(path, {**BODIES[path], "messages": []}), 400)


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
