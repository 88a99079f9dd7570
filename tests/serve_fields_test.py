"""Every field of a request that /openapi.json lists changes the answer of the real model, or is refused by name, or is
said here to change nothing. Usage: serve_fields_test.py RIVAL"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from gguf_template import with_template
from serve_chat_test import THINKING
from serve_support import Server

RIVAL = None
CHAT, EMBED, THINKER = "smollm2:135m", "minilm:22m", "thinking"
USER = {"role": "user", "content": "Name three things that are blue, and say why."}
END = "2"  # the id of the token at which this model's answers end
FUNCTION = {"name": "paint", "description": "Paints.", "parameters": {"type": "object", "properties": {"it": {"enum": ["sky", "sea"]}}, "required": ["it"],
                                                                      "additionalProperties": False}}
OTHER = dict(FUNCTION, name="wash")
TOOLS = [{"type": "function", "function": f} for f in (FUNCTION, OTHER)]
CLAUDE_TOOLS = [{"name": f["name"], "input_schema": f["parameters"]} for f in (FUNCTION, OTHER)]
FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": FUNCTION["parameters"]}}
LONG = "blue " * 900


class Row:
    """A field, what stands beside it, and how it is shown to matter: another answer, at least with one of a few seeds."""

    def __init__(self, value, view=None, **beside):
        self.value, self.view, self.beside = value, view, beside


class Refused(Row):
    """A 400 that names the field."""


class Neutral(Row):
    """Accepted, and cannot change an answer."""


def second_word(text):
    return text.split()[1]


SAMPLING = {
    "temperature": Row(0), "top_p": Row(0.05), "top_k": Row(1), "min_p": Row(0.9), "typical_p": Row(0.05), "repetition_penalty": Row(3),
    "presence_penalty": Row(2), "frequency_penalty": Row(2), "seed": Row(77), "logit_bias": Row({END: 100}),
    "stop": Row(second_word), "n": Row(2), "max_tokens": Row(3), "min_tokens": Row(5, logit_bias={END: 100}),
    "ignore_eos": Row(True, logit_bias={END: 100}), "cache_prompt": Row(False, view=lambda a: a["usage"]["prompt_tokens_details"]["cached_tokens"] > 0),
    "stream": Row(True), "stream_options": Row({"include_usage": True}, stream=True), "user": Neutral("me"),
    "response_format": Row(FORM), "grammar": Row('root ::= "yes" | "no"'), "model": Refused(EMBED),
}
OLLAMA_OPTIONS = {
    "num_predict": Row(3), "num_ctx": Refused(1), "num_keep": Row(40, truncate=True), "temperature": Row(0), "top_k": Row(1), "top_p": Row(0.05),
    "min_p": Row(0.9), "typical_p": Row(0.05), "repeat_penalty": Row(3), "repeat_last_n": Row(1, options={"repeat_penalty": 3}), "presence_penalty": Row(2),
    "frequency_penalty": Row(2), "seed": Row(77), "stop": Row(second_word),
}
OLLAMA = {
    "model": Refused(EMBED), "stream": Row(True), "options": Row({"seed": 77}), "format": Row(FUNCTION["parameters"]), "think": Row(False, model=THINKER),
    "keep_alive": Neutral("5m"), "truncate": Row(True), "logprobs": Row(True), "top_logprobs": Row(2, logprobs=True),
}
ROWS = {
    "/v1/chat/completions": SAMPLING | {
        "messages": Row([{"role": "user", "content": "Hello."}]), "max_completion_tokens": Row(3, max_tokens=None), "logprobs": Row(True),
        "top_logprobs": Row(2, logprobs=True), "tools": Row(TOOLS), "tool_choice": Row("required", tools=TOOLS),
        "parallel_tool_calls": Row(False, tools=TOOLS, tool_choice="required", max_tokens=120, temperature=1.5), "functions": Row([FUNCTION], function_call={"name": "paint"}),
        "function_call": Row({"name": "wash"}, functions=[FUNCTION, OTHER]), "reasoning_effort": Row("none", model=THINKER),
    },
    "/v1/completions": SAMPLING | {
        "prompt": Row("Once upon a time"), "logprobs": Row(2), "echo": Row(True), "best_of": Row(4), "suffix": Refused("the end."),
    },
    "/v1/embeddings": {"model": Refused(CHAT), "input": Row("red"), "encoding_format": Row("base64"), "dimensions": Refused(100), "user": Neutral("me")},
    "/v1/messages": {
        "model": Refused(EMBED), "messages": Row([{"role": "user", "content": "Hello."}]), "system": Row("You are a pirate."), "tools": Row(CLAUDE_TOOLS),
        "tool_choice": Row({"type": "any"}, tools=CLAUDE_TOOLS), "thinking": Row({"type": "enabled", "budget_tokens": 8}, model=THINKER),
        "output_config": Row({"format": {"type": "json_schema", "schema": FUNCTION["parameters"]}}), "max_tokens": Row(3), "temperature": Row(0), "top_p": Row(0.05),
        "top_k": Row(1), "seed": Row(77), "stop_sequences": Row(lambda text: [second_word(text)]), "stream": Row(True), "metadata": Neutral({"user_id": "u"}),
    },
    "/api/chat": OLLAMA | {"messages": Row([{"role": "user", "content": "Hello."}]), "tools": Row(TOOLS)},
    "/api/generate": OLLAMA | {
        "prompt": Row("Hello."), "system": Row("You are a pirate."), "raw": Row(True), "template": Refused("{{ .Prompt }}"), "suffix": Refused("the end."),
        "images": Refused(["aGk="]),
    },
}
# Where the field's effect needs more than the usual question.
ROWS["/api/chat"]["truncate"] = Row(True, messages=[{"role": "user", "content": LONG}])
ROWS["/api/generate"]["truncate"] = Row(True, prompt=LONG)

BASES = {
    "/v1/chat/completions": {"messages": [USER], "temperature": 1, "max_tokens": 24},
    "/v1/completions": {"prompt": "The sky is blue because", "temperature": 1, "max_tokens": 24},
    "/v1/embeddings": {"model": EMBED, "input": "blue"},
    "/v1/messages": {"messages": [USER], "temperature": 1, "max_tokens": 24},
    "/api/chat": {"model": CHAT, "messages": [USER], "stream": False},
    "/api/generate": {"model": CHAT, "prompt": USER["content"], "stream": False},
}
OPTIONS = {"num_predict": 24, "temperature": 1}


def text_of(answer):
    """What the model wrote, whatever the API."""
    if "choices" in answer:
        choice = answer["choices"][0]
        return choice["text"] if "text" in choice else choice["message"]["content"]
    return answer["content"][0]["text"] if "content" in answer else answer.get("response") or answer["message"]["content"]


class Fields(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        thinking = pathlib.Path(cls.folder.name) / f"{THINKER}.gguf"
        shown = subprocess.run([RIVAL, "show", CHAT], capture_output=True, text=True, check=True).stdout
        with_template(pathlib.Path(re.search(r"^here +(.*) \(", shown, re.M).group(1)), thinking, THINKING)
        cls.server = Server(RIVAL, "--context", "768", "--database", str(thinking.parent / "kept.db"), "--model", CHAT, "--model", EMBED, "--model", str(thinking))
        cls.listed = json.loads(cls.server.call("GET", "/openapi.json")[1])
        cls.thinker = next(m["id"] for m in json.loads(cls.server.call("GET", "/v1/models")[1])["data"] if THINKER in m["id"])

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def fields_of(self, path):
        schema = self.listed["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        return self.listed["components"]["schemas"][schema["$ref"].split("/")[-1]]["properties"] if "$ref" in schema else schema["properties"]

    def ask(self, path, body):
        """Status and content without what differs from one time to the next."""
        status, content = self.server.call("POST", path, {**body, **({"model": self.thinker} if body.get("model") == THINKER else {})})
        text = re.sub(r'"(id|created|created_at|[a-z_]*duration|x-request-id|model)": ?("[^"]*"|[0-9.]+)', r'"\1": 0', content.decode())
        text = re.sub(r'"(cached_tokens|cache_read_input_tokens|input_tokens)": ?[0-9]+', r'"\1": 0', text)
        return status, text, content

    def body(self, path, row, seed, /, **more):
        body = {**BASES[path], **row.beside, **more}
        if path.startswith("/api/"):
            body["options"] = {**OPTIONS, "seed": seed, **row.beside.get("options", {}), **more.get("options", {})}
        elif path != "/v1/embeddings":
            body.setdefault("seed", seed)
        return {name: value for name, value in body.items() if value is not None}

    def check(self, path, name, row, put):
        plain = self.ask(path, self.body(path, row, 1))
        value = row.value(text_of(json.loads(plain[2]))) if callable(row.value) else row.value
        if isinstance(row, Refused):
            status, _, content = self.ask(path, self.body(path, row, 1, **put(value)))
            error = json.loads(content)["error"]
            self.assertEqual(status, 400, content)
            named = error if isinstance(error, str) else (error.get("param") or "") + error["message"]
            return self.assertIn(name, named + ("num_ctx" if name == "num_ctx" and "context" in named else ""))
        if isinstance(row, Neutral):
            return self.assertEqual(self.ask(path, self.body(path, row, 1, **put(value)))[:2], plain[:2])
        self.assertTrue(any(self.differs(path, row, seed, put(value)) for seed in range(1, 9)), f"{name} changes nothing")

    def differs(self, path, row, seed, more):
        plain, given = self.ask(path, self.body(path, row, seed)), self.ask(path, self.body(path, row, seed, **more))
        self.assertEqual(given[0], 200, given[1])
        if row.view:
            return row.view(json.loads(plain[2])) != row.view(json.loads(given[2]))
        return plain[:2] != given[:2]

    def test_every_field_has_a_row(self):
        for path, rows in ROWS.items():
            self.assertEqual(sorted(rows), sorted(self.fields_of(path)), path)

    def test_an_answer_of_a_seed_is_the_same_again(self):
        for path in ROWS:
            body = self.body(path, Row(None), 1)
            first = self.ask(path, body)
            self.assertEqual(first[0], 200, first[1])
            self.assertEqual(self.ask(path, body)[:2], first[:2], path)

    def test_each_field_matters(self):
        for path, rows in ROWS.items():
            for name, row in rows.items():
                with self.subTest(path=path, field=name):
                    self.check(path, name, row, lambda value: {name: value})

    def test_each_option_of_ollama_matters(self):
        beside = {"/api/chat": {"messages": [{"role": "user", "content": LONG}]}, "/api/generate": {"prompt": LONG}}
        for path in beside:
            for name, row in OLLAMA_OPTIONS.items():
                more = beside[path] if name == "num_keep" else {}
                with self.subTest(path=path, option=name):
                    self.check(path, name, type(row)(row.value, row.view, **{**row.beside, **more}), lambda value: {"options": {**row.beside.get("options", {}), name: value}})


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
