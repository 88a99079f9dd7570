"""Tools, formats and thoughts of /v1/chat/completions with the default model. Usage: serve_chat_test.py RIVAL"""
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import tiny_folder
from gguf_template import with_template
from serve_support import Server

RIVAL = None
USER = {"role": "user", "content": "What is the weather in Paris? Then book a table for two."}


def tool(name, parameters):
    return {"type": "function", "function": {"name": name, "description": f"Does {name}.", "parameters": parameters}}


def closed(required, **properties):
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


CITY = {"type": "string", "maxLength": 12}
SCHEMAS = [
    closed(["city"], city=CITY, unit={"enum": ["celsius", "fahrenheit"]}),
    closed(["guests", "when"], guests={"type": "integer", "minimum": 1, "maximum": 20}, when={"type": "string", "format": "date"}),
    closed(["places"], places={"type": "array", "items": closed(["x", "y"], x={"type": "integer"}, y={"type": "boolean"}), "minItems": 1, "maxItems": 2}),
    closed([], note={"type": "string", "pattern": "^[a-z]{2,6}$"}),
    {"type": "object", "properties": {"kind": {"$ref": "#/$defs/kind"}}, "required": ["kind"], "$defs": {"kind": {"const": "a\"b\\ü"}},
     "additionalProperties": False},
]
TOOLS = [tool(f"tool_{i}", s) for i, s in enumerate(SCHEMAS)]


def validates(value, schema, root=None):
    """JSON Schema as far as SCHEMAS goes."""
    root = root or schema
    if "$ref" in schema:
        return validates(value, root["$defs"][schema["$ref"].split("/")[-1]], root)
    if "const" in schema:
        return value == schema["const"]
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema["type"]
    if kind == "object":
        known = schema.get("properties", {})
        return isinstance(value, dict) and all(r in value for r in schema.get("required", [])) and \
            all(k in known and validates(v, known[k], root) for k, v in value.items())
    if kind == "array":
        return isinstance(value, list) and schema["minItems"] <= len(value) <= schema["maxItems"] and all(validates(v, schema["items"], root) for v in value)
    if kind == "string":
        pattern = r"^\d{4}-\d\d-\d\d$" if schema.get("format") == "date" else schema.get("pattern", "")
        return isinstance(value, str) and len(value) <= schema.get("maxLength", 99) and re.search(pattern, value) is not None
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, (int, float)) and value == int(value) and schema.get("minimum", value) <= value <= schema.get("maximum", value)


class Chat(unittest.TestCase):
    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(RIVAL, "--context", "4096", *cls.arguments)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def chat(self, status=200, **body):
        body = {"messages": [USER], "temperature": 0, "max_tokens": 100, **body}
        got, answer = self.server.post("/v1/chat/completions", **body)
        self.assertEqual(got, status, answer)
        return answer

    def message(self, **body):
        return self.chat(**body)["choices"][0]["message"]

    def stream(self, **body):
        return self.server.events("/v1/chat/completions", **{"messages": [USER], "temperature": 0, "max_tokens": 100, **body})

    def check_calls(self, choice, tools=TOOLS):
        """Every call is of a tool that is there, with arguments that its schema allows; the last one may be cut."""
        schemas = {t["function"]["name"]: t["function"]["parameters"] for t in tools}
        calls = choice["message"].get("tool_calls", [])
        for i, call in enumerate(calls):
            self.assertIn(call["function"]["name"], schemas)
            if choice["finish_reason"] == "length" and i + 1 == len(calls):
                continue
            self.assertTrue(validates(json.loads(call["function"]["arguments"]), schemas[call["function"]["name"]]), call)
        return calls


class Tools(Chat):
    def test_arguments_are_always_valid(self):
        for seed in range(2):
            answer = self.chat(tools=TOOLS, tool_choice="required", temperature=1.5, seed=seed, n=4, max_tokens=120)
            for choice in answer["choices"]:
                calls = self.check_calls(choice)
                self.assertTrue(calls or choice["finish_reason"] == "length", choice)
                if choice["finish_reason"] != "length":
                    self.assertEqual(choice["finish_reason"], "tool_calls")
        for i, t in enumerate(TOOLS):
            choice = self.chat(tools=TOOLS, tool_choice={"type": "function", "function": {"name": t["function"]["name"]}}, parallel_tool_calls=False)["choices"][0]
            self.assertEqual([c["function"]["name"] for c in self.check_calls(choice)], [f"tool_{i}"])
            self.assertIsNone(choice["message"]["content"])

    def test_none_and_auto_may_write_text(self):
        plain = self.message()
        self.assertEqual(self.message(tools=TOOLS, tool_choice="none"), plain)
        for seed in range(3):
            choice = self.chat(tools=TOOLS[:2], temperature=1, seed=seed)["choices"][0]
            self.assertTrue(self.check_calls(choice) or choice["message"]["content"])

    def test_a_stream_tells_the_same_calls(self):
        body = dict(tools=TOOLS, tool_choice="required", seed=3, temperature=1, stream_options={"include_usage": True})
        whole = self.chat(**{**body, "stream_options": None})["choices"][0]
        deltas = [c["choices"][0]["delta"] for c in self.stream(**body) if c["choices"]]
        calls = {}
        for part in (p for d in deltas for p in d.get("tool_calls", [])):
            if part["index"] not in calls:
                self.assertEqual((part["type"], part["function"]["arguments"]), ("function", ""))
                self.assertTrue(part["id"])
                calls[part["index"]] = [part["function"]["name"], ""]
            else:
                self.assertEqual(sorted(part), ["function", "index"])
                calls[part["index"]][1] += part["function"]["arguments"]
        self.assertEqual(list(calls.values()), [[c["function"]["name"], c["function"]["arguments"]] for c in whole["message"]["tool_calls"]])

    def test_logprobs_with_tools_and_streaming(self):
        body = dict(tools=TOOLS, tool_choice="required", parallel_tool_calls=False, logprobs=True, top_logprobs=2)
        answer = self.chat(**body)
        rows = answer["choices"][0]["logprobs"]["content"]
        # The token that ends the answer has no text and no row.
        self.assertIn(answer["usage"]["completion_tokens"] - len(rows), (0, 1))
        streamed = [r for c in self.stream(**body) for r in (c["choices"][0]["logprobs"] or {"content": []})["content"]]
        self.assertEqual([r["token"] for r in streamed], [r["token"] for r in rows])

    def test_a_format_or_calls(self):
        schema = closed(["answer"], answer={"type": "boolean"})
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        for seed in range(6):
            choice = self.chat(tools=TOOLS[:2], response_format=form, temperature=1, seed=seed)["choices"][0]
            if not self.check_calls(choice):
                self.assertTrue(validates(json.loads(choice["message"]["content"]), schema), choice)

    def test_one_call_at_most(self):
        for seed in range(4):
            choice = self.chat(tools=TOOLS[:2], tool_choice="required", parallel_tool_calls=False, temperature=1.2, seed=seed)["choices"][0]
            self.assertEqual(len(self.check_calls(choice)), 1)

    def test_history_with_calls_results_and_broken_arguments(self):
        for arguments in ('{"city": "Paris"}', "{broken", "", "[1]"):
            messages = [USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "tool_0", "arguments": arguments}}]},
                        {"role": "tool", "tool_call_id": "call_1", "content": "not JSON {"}, {"role": "user", "content": [{"type": "text", "text": "So?"}]}]
            self.check_calls(self.chat(messages=messages, tools=TOOLS, max_tokens=40)["choices"][0])
        for roles in (["system", "system", "user"], ["user", "user"], ["user", "assistant", "system", "user"], ["developer", "user"], ["assistant", "user"]):
            self.chat(messages=[{"role": r, "content": "Hello."} for r in roles], max_tokens=2)

    def test_stops_end_text_but_no_arguments(self):
        choice = self.chat(tools=TOOLS, tool_choice="required", parallel_tool_calls=False, stop=["\"", "{", "tool"])["choices"][0]
        self.assertEqual(len(self.check_calls(choice)), 1)
        plain = self.message()["content"]
        word = plain.split()[3]
        cut = self.chat(tools=TOOLS[:1], stop=word)["choices"][0]
        if not cut["message"].get("tool_calls"):
            self.assertNotIn(word, cut["message"]["content"])

    def test_bad_tools_are_400_and_name_the_field(self):
        rows = [
            (dict(tools=[{"type": "function"}]), "tools[0]"),
            (dict(tools=[{"type": "web_search"}]), "tools[0]"),
            (dict(tools=[tool("a b", {})]), "tools[0].function.parameters"),
            (dict(tools=[tool("a", {}), tool("a", {})]), "tools[0].function.parameters"),
            (dict(tools=[tool("a", {"type": "string"})]), "tools[0].function.parameters"),
            (dict(tools=[tool("a", {"type": "object", "properties": {"x": {"$dynamicRef": "#y"}}})]), "tools[0].function.parameters"),
            (dict(tools=TOOLS, tool_choice="sometimes"), "tool_choice"),
            (dict(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "nobody"}}), "tool_choice"),
            (dict(tool_choice="required"), "tool_choice"),
            (dict(functions=[{"name": "f"}], tools=TOOLS), "functions"),
            (dict(functions=[{"parameters": {}}]), "functions[0]"),
            (dict(functions=[{"name": "f", "parameters": {"type": "string"}}]), "functions[0].parameters"),
            (dict(functions=[{"name": "f"}], function_call={"name": "g"}), "function_call"),
            (dict(function_call={"name": "f"}), "function_call"),
            (dict(audio={"voice": "x"}), "audio"),
            (dict(prediction={"type": "content", "content": "x"}), "prediction"),
            (dict(web_search_options={"search_context_size": "low"}), "web_search_options"),
            (dict(modalities=["text", "audio"]), "modalities"),
            (dict(reasoning_effort="extreme"), "reasoning_effort"),
            (dict(stream_options={"include_usage": True}), "stream_options"),
            (dict(messages=[USER, {"role": "function", "content": "x"}]), "messages[1].name"),
            (dict(messages=[USER, {"role": "robot", "content": "x"}]), "messages[1].role"),
            (dict(messages=[{"role": "assistant", "content": None, "function_call": {"arguments": "{}"}}, USER]), "messages[0].function_call"),
            (dict(tools=[tool("a", {"type": "object", "properties": {"x": {"maximum": 2**64 + 1}}})]), "tools[0].function.parameters.properties.x.maximum"),
            (dict(messages=[USER, {"role": "tool", "tool_call_id": "x", "content": -10**30 - 1}]), "messages[1].content"),
            (dict(messages=[USER, {"role": "user", "content": None}]), "messages[1].content"),
            (dict(messages=[USER], continue_final_message=True), "messages"),
        ]
        for body, param in rows:
            self.assertEqual(self.chat(400, **body)["error"]["param"], param, body)

    def test_functions_are_tools_of_one_call(self):
        functions = [t["function"] for t in TOOLS]
        for name in ("tool_0", "tool_3"):
            body = dict(functions=functions, function_call={"name": name})
            choice = self.chat(**body)["choices"][0]
            call = choice["message"]["function_call"]
            self.assertEqual((choice["finish_reason"], choice["message"]["content"], call["name"]), ("function_call", None, name))
            self.assertNotIn("tool_calls", choice["message"])
            self.assertTrue(validates(json.loads(call["arguments"]), SCHEMAS[int(name[-1])]), call)
            deltas = [c["choices"][0]["delta"].get("function_call", {}) for c in self.stream(**body)]
            self.assertEqual("".join(d.get("name", "") for d in deltas), name)
            self.assertEqual("".join(d.get("arguments", "") for d in deltas), call["arguments"])
        self.assertNotIn("function_call", self.message(functions=functions, function_call="none"))
        # A result is told as that of a tool is.
        old = [USER, {"role": "assistant", "content": None, "function_call": {"name": "tool_0", "arguments": "{}"}}, {"role": "function", "name": "tool_0", "content": "Rain."}]
        new = [USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "call_tool_0", "type": "function", "function": {"name": "tool_0", "arguments": "{}"}}]},
               {"role": "tool", "tool_call_id": "call_tool_0", "name": "tool_0", "content": "Rain."}]
        self.assertEqual(self.message(messages=old, functions=functions[:1], function_call="none"), self.message(messages=new, tools=TOOLS[:1], tool_choice="none"))

    def test_each_of_several_answers_ends_at_its_stop_string(self):
        body = dict(tools=TOOLS[:1], temperature=1, seed=4, max_tokens=150, n=3, ignore_eos=True)
        for choice, whole in zip(self.chat(**body, stop=[" a"])["choices"], self.chat(**body)["choices"]):
            text = choice["message"]["content"] or ""
            self.assertNotIn(" a", text)
            self.assertTrue((whole["message"]["content"] or "").startswith(text))
        self.assertLess(self.chat(**body, stop=["e", "a", "o"])["usage"]["completion_tokens"], 150)

    def test_numbers_are_kept_exactly_or_refused(self):
        for number in (2**63 - 1, 2**64 - 1, 2**64, -2**63, 10**20):
            self.chat(max_tokens=1, tools=[tool("a", {"type": "object", "properties": {"x": {"maximum": number}}})])

    def test_fields_that_change_nothing_are_accepted(self):
        plain = self.message(max_tokens=12)
        same = self.message(max_tokens=12, store=True, metadata={"a": "b"}, user="me", service_tier="auto", safety_identifier="x", prompt_cache_key="k",
                            modalities=["text"], functions=[], function_call="auto", reasoning_effort="low", something_unknown=1)
        self.assertEqual(same, plain)

    def test_the_last_message_is_written_on(self):
        messages = [{"role": "user", "content": "Name the capital of France."}, {"role": "assistant", "content": "The capital of France is"}]
        self.assertIn("Paris", self.message(messages=messages, continue_final_message=True, max_tokens=4)["content"])


class Formats(Chat):
    def test_formats_of_text(self):
        def text(**body):
            return self.message(temperature=1, **body)["content"]
        choice = self.chat(response_format={"type": "json_object"})["choices"][0]
        self.assertTrue(choice["message"]["content"].startswith("{"))
        if choice["finish_reason"] == "stop":
            json.loads(choice["message"]["content"])
        for seed in range(3):
            self.assertIn(text(grammar='root ::= "yes" | "no"', seed=seed), ("yes", "no"))
            self.assertRegex(text(response_format={"type": "regex", "regex": "[a-c]{3}-\\d"}, seed=seed), r"^[a-c]{3}-\d$")
        answer = self.chat(response_format={"type": "regex", "regex": "[a-c]{3}"}, n=3, temperature=1, logprobs=True)
        for choice in answer["choices"]:
            self.assertRegex(choice["message"]["content"], "^[a-c]{3}$")
            self.assertEqual("".join(r["token"] for r in choice["logprobs"]["content"]), choice["message"]["content"])

    def test_a_format_goes_on_behind_a_beginning(self):
        def written_on(beginning, status=200, **form):
            messages = [USER, {"role": "assistant", "content": beginning}]
            return self.chat(status, messages=messages, continue_final_message=True, temperature=1, seed=5, response_format=form)
        schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": closed(["city", "ok"], city=CITY, ok={"type": "boolean"})}}
        for beginning in ('{"city": "Par', '{', '{"ok": tr', '  {"city": "Lima", '):
            answer = beginning + written_on(beginning, **schema)["choices"][0]["message"]["content"]
            self.assertTrue(validates(json.loads(answer), schema["json_schema"]["schema"]), answer)
        self.assertRegex("ab" + written_on("ab", type="regex", regex="[a-c]{3}-\\d")["choices"][0]["message"]["content"], r"^[a-c]{3}-\d$")
        for beginning, form in (("Sure: {", schema), ('{"town": ', schema), ("ad", {"type": "regex", "regex": "[a-c]{3}"})):
            error = written_on(beginning, 400, **form)["error"]
            self.assertEqual(error["param"], "messages")
            self.assertIn("response_format", error["message"])

    def test_a_slow_schema_holds_nobody_up(self):
        slow = {"type": "object", "properties": {f"p{i}": {"type": "string", "pattern": f"^(a|b)*a(a|b){{{400 + i}}}$", "not": {"pattern": f"^(a|b)*b(a|b){{{399 + i}}}$"}} for i in range(24)}}
        answers, longest = [], 0.0

        def ask():
            answers.append(self.server.post("/v1/chat/completions", messages=[USER], max_tokens=1, response_format={"type": "json_schema", "json_schema": {"schema": slow}}))
        begin = time.monotonic()
        asking = threading.Thread(target=ask)
        asking.start()
        while not answers:
            at = time.monotonic()
            self.server.call("GET", "/health")
            longest = max(longest, time.monotonic() - at)
        asking.join()
        took = time.monotonic() - begin
        self.assertGreater(took, 0.15, "the schema is meant to be slow")
        self.assertLess(longest, took / 2)

    def test_control_tokens_in_messages_are_text(self):
        def prompt_tokens(content):
            return self.chat(messages=[{"role": "user", "content": content}], max_tokens=1)["usage"]["prompt_tokens"]
        empty = prompt_tokens("x")
        self.assertGreaterEqual(prompt_tokens("x" + "<|im_end|>" * 20) - empty, 60)
        self.assertLess(prompt_tokens("x" + " hello" * 20) - empty, 25)

    def test_keywords_that_cannot_be_enforced_are_named_with_their_path(self):
        schema = {"type": "object", "properties": {"a": {"$dynamicRef": "#x"}}}
        error = self.chat(400, response_format={"type": "json_schema", "json_schema": {"schema": schema}})["error"]
        self.assertIn("$dynamicRef", error["message"])
        self.assertIn("properties", error["message"])


THINKING = ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
            "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% else %}<think>\n{% endif %}{% endif %}")


class Thinking(Chat):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name) / "thinking.gguf"
        shown = re.search(r"^here +(.*) \(", subprocess.run([RIVAL, "show", "smollm2:135m"], capture_output=True, text=True, check=True).stdout, re.M).group(1)
        with_template(pathlib.Path(shown), path, THINKING)
        cls.arguments = ("--model", str(path))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    def test_a_thought_that_the_prompt_opens_is_no_answer(self):
        answer = self.chat(max_tokens=20, ignore_eos=True)
        message = answer["choices"][0]["message"]
        self.assertEqual(message["content"], "")
        self.assertTrue(message["reasoning_content"])
        self.assertEqual(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 20)
        deltas = [c["choices"][0]["delta"] for c in self.stream(max_tokens=20, ignore_eos=True)]
        self.assertEqual("".join(d.get("reasoning_content", "") for d in deltas), message["reasoning_content"])

    def test_variables_of_the_template_reach_it(self):
        for body in (dict(reasoning_effort="none"), dict(chat_template_kwargs={"enable_thinking": False})):
            answer = self.chat(max_tokens=20, **body)
            self.assertTrue(answer["choices"][0]["message"]["content"])
            self.assertEqual(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 0)

    def test_a_format_holds_behind_the_thought(self):
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": closed(["ok"], ok={"type": "boolean"})}}
        # A bias makes the small model end its thought, often before it begins.
        ids = self.server.post("/tokenize", content="</think>", add_special=False)[1]["tokens"]
        for seed in range(4):
            choice = self.chat(response_format=form, temperature=1, seed=seed, logit_bias={str(i): 6 for i in ids})["choices"][0]
            if choice["finish_reason"] == "stop":
                self.assertIn("ok", json.loads(choice["message"]["content"]))
        no_thought = self.chat(response_format=form, reasoning_effort="none")["choices"][0]["message"]
        self.assertIn("ok", json.loads(no_thought["content"]))


class Scores(Chat):
    def complete(self, **body):
        status, answer = self.server.post("/v1/completions", **{"temperature": 0, "max_tokens": 3, **body})
        self.assertEqual(status, 200, answer)
        return answer

    def test_an_echoed_prompt_is_scored(self):
        prompt = "The quick brown fox jumps over the lazy dog. " * 6 + "Üben hilft."
        ids = self.server.post("/tokenize", content=prompt)[1]["tokens"]
        inspected = subprocess.run([RIVAL, "inspect", "logits", "smollm2:135m", "--json", "--ids", ",".join(map(str, ids))], capture_output=True, check=True)
        rows = json.loads(inspected.stdout)["logits"]
        self.complete(prompt=prompt)  # what is known of the prompt changes no score
        for body in (dict(prompt=prompt, max_tokens=0), dict(prompt=ids, max_tokens=1), dict(prompt=prompt, n=2, max_tokens=3)):
            answer = self.complete(echo=True, logprobs=2, **body)
            told = answer["choices"][0]["logprobs"]
            self.assertEqual([len(told[k]) for k in sorted(told)], [len(ids) + body["max_tokens"]] * 4)
            self.assertEqual((told["token_logprobs"][0], told["top_logprobs"][0]), (None, None))
            off = []
            for i, row in enumerate(rows[:-1]):
                largest = max(row)
                total = largest + math.log(math.fsum(math.exp(x - largest) for x in row))
                off += [abs(told["token_logprobs"][i + 1] - (row[ids[i + 1]] - total)),
                        abs(max(told["top_logprobs"][i + 1].values()) - (largest - total))]
            # `inspect` keeps keys and values in F32 and the server in F16, which moves what is rounded to int8 after
            # them: 0.045 on average and 0.45 at most here. The scores of a wrong row are off by whole units.
            self.assertLess(sum(off) / len(off), 0.1)
            self.assertLess(max(off), 1)
            text = answer["choices"][0]["text"].encode()
            self.assertTrue(text.decode().startswith(prompt))
            for token, begin, end in zip(told["tokens"], told["text_offset"], told["text_offset"][1:]):
                if "\ufffd" not in token:
                    self.assertEqual(text[begin:end].decode(), token)
            for choice in answer["choices"]:
                self.assertEqual(choice["logprobs"], told)
            chunks = [c["choices"][0] for c in self.server.events("/v1/completions", temperature=0, echo=True, logprobs=2, **{**body, "n": 1})]
            self.assertEqual(sum((c["logprobs"]["token_logprobs"] for c in chunks if c["logprobs"]), []), told["token_logprobs"])
            self.assertEqual("".join(c["text"] for c in chunks).encode(), text)

    def test_an_answer_that_is_scored_has_the_logprobs_that_it_was_written_with(self):
        ids = self.server.post("/tokenize", content="Once upon a time there was a lighthouse")[1]["tokens"]
        written = self.complete(prompt=ids, max_tokens=40, logprobs=1)["choices"][0]
        whole = ids + self.server.post("/tokenize", content=written["text"], add_special=False)[1]["tokens"]
        scored = self.complete(prompt=whole, max_tokens=0, echo=True, logprobs=1)["choices"][0]["logprobs"]
        self.assertEqual(scored["tokens"][len(ids):], written["logprobs"]["tokens"])
        for told, known in zip(scored["token_logprobs"][len(ids):], written["logprobs"]["token_logprobs"]):
            self.assertAlmostEqual(told, known, delta=1e-5)


class Filling(unittest.TestCase):
    """A model whose vocabulary has the tokens for what stands before and behind."""

    def test_a_suffix_is_told_to_the_model(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, data in tiny_folder.files(["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]).items():
                (pathlib.Path(folder) / name).write_bytes(data)
            server = Server(RIVAL, "--model", folder)
            model = json.loads(server.call("GET", "/v1/models")[1])["data"][0]["id"]

            def complete(**body):
                status, answer = server.post("/v1/completions", temperature=0, max_tokens=8, prompt="ab", **body)
                self.assertEqual(status, 200, answer)
                return answer["choices"][0]["text"], answer["usage"]["prompt_tokens"]

            def generate(**body):
                status, answer = server.post("/api/generate", model=model, stream=False, prompt="ab", options={"temperature": 0, "num_predict": 8}, **body)
                self.assertEqual(status, 200, answer)
                return answer["response"], answer["prompt_eval_count"]
            filled = complete(suffix="cde")
            marks = [258, *b"ab", 259, *b"cde", 260]
            plain = server.post("/v1/completions", temperature=0, max_tokens=8, prompt=marks)[1]["choices"][0]["text"]
            self.assertEqual(filled, (plain, 2 + 3 + 3))
            self.assertNotEqual(complete()[0], filled[0])
            self.assertNotEqual(complete(suffix="xyz")[0], filled[0])
            self.assertEqual(generate(suffix="cde"), (generate(suffix="cde")[0], 8))
            self.assertNotEqual(generate(suffix="xyz")[0], generate(suffix="cde")[0])
            server.stop()


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
