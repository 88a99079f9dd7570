"""`rival serve` over HTTP with the default model. Usage: serve_test.py RIVAL"""
import concurrent.futures
import http.client
import json
import subprocess
import sys
import time
import unittest

from serve_support import Server

RIVAL = None
USER = {"role": "user", "content": "What is the capital of France?"}


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(RIVAL, "--context", "2048")
        cls.port, cls.process = cls.server.port, cls.server.process

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def call(self, *arguments, **named):
        return self.server.call(*arguments, **named)

    def post(self, path, **body):
        return self.server.post(path, **body)

    def chat(self, **body):
        body.setdefault("messages", [USER])
        body.setdefault("temperature", 0)
        body.setdefault("max_tokens", 24)
        return self.post("/v1/chat/completions", **body)

    def stream(self, path, **body):
        status, content = self.call("POST", path, dict(body, stream=True))
        self.assertEqual(status, 200)
        events = [e[len("data: "):] for e in content.decode().strip().split("\n\n")]
        self.assertEqual(events[-1], "[DONE]")
        return [json.loads(e) for e in events[:-1]]

    def test_a_chat_answers_with_usage(self):
        status, answer = self.chat()
        self.assertEqual(status, 200)
        self.assertGreater(len(answer["choices"][0]["message"]["content"]), 10)
        self.assertEqual(answer["object"], "chat.completion")
        usage = answer["usage"]
        self.assertEqual(usage["total_tokens"], usage["prompt_tokens"] + usage["completion_tokens"])

    def test_a_stream_joins_to_the_same_text(self):
        _, whole = self.chat()
        chunks = self.stream("/v1/chat/completions", messages=[USER], temperature=0, max_tokens=24,
                             stream_options={"include_usage": True})
        self.assertEqual(chunks[0]["choices"][0]["delta"]["role"], "assistant")
        text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
        self.assertEqual(text, whole["choices"][0]["message"]["content"])
        self.assertEqual([c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-1],
                         whole["choices"][0]["finish_reason"])
        self.assertEqual(chunks[-1]["choices"], [])
        self.assertEqual(chunks[-1]["usage"]["completion_tokens"], whole["usage"]["completion_tokens"])
        self.assertEqual(len({c["id"] for c in chunks}), 1)

    def test_answers_do_not_depend_on_company(self):
        _, alone = self.chat()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            others = [pool.submit(self.chat, messages=[{"role": "user", "content": f"Count to {i}."}]) for i in range(7)]
            same = pool.submit(self.chat)
            self.assertEqual(same.result()[1]["choices"][0]["message"], alone["choices"][0]["message"])
            self.assertTrue(all(o.result()[0] == 200 for o in others))

    def test_fields_change_the_answer(self):
        def text(**body):
            status, answer = self.chat(**body)
            self.assertEqual(status, 200, answer)
            return answer["choices"][0]["message"]["content"]
        plain = text()
        self.assertEqual(text(temperature=1.5, seed=5), text(temperature=1.5, seed=5))
        self.assertNotEqual(text(temperature=1.5, seed=5), text(temperature=1.5, seed=6))
        word = plain.split()[2]
        self.assertEqual(text(stop=word), plain.split(word)[0])
        first = self.post("/tokenize", content=plain)[1]["tokens"][0]
        self.assertNotEqual(text(logit_bias={str(first): -100}), plain)
        self.assertNotEqual(text(repetition_penalty=5.0, max_tokens=60), text(max_tokens=60))
        self.assertEqual(len(self.chat(n=3, temperature=1, seed=1)[1]["choices"]), 3)
        self.assertEqual(self.chat(max_completion_tokens=2, max_tokens=None)[1]["usage"]["completion_tokens"], 2)
        self.assertEqual(self.chat(ignore_eos=True, max_tokens=40)[1]["usage"]["completion_tokens"], 40)

    def test_logprobs(self):
        _, answer = self.chat(logprobs=True, top_logprobs=3, max_tokens=4)
        rows = answer["choices"][0]["logprobs"]["content"]
        self.assertEqual("".join(r["token"] for r in rows), answer["choices"][0]["message"]["content"])
        self.assertTrue(all(len(r["top_logprobs"]) == 3 and r["logprob"] <= 0 for r in rows))
        self.assertEqual(bytes(rows[0]["bytes"]).decode(), rows[0]["token"])

    def test_json_schema_is_obeyed(self):
        schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}, "size": {"type": "integer"}},
                  "required": ["city", "size"], "additionalProperties": False}
        status, answer = self.chat(max_tokens=100, temperature=1, seed=3,
                                   response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
        self.assertEqual(status, 200, answer)
        value = json.loads(answer["choices"][0]["message"]["content"])
        self.assertEqual(sorted(value), ["city", "size"])
        self.assertEqual(value["size"], int(value["size"]))
        self.assertEqual(self.chat(grammar='root ::= "yes" | "no"')[1]["choices"][0]["message"]["content"] in ("yes", "no"), True)

    def test_completions(self):
        status, answer = self.post("/v1/completions", prompt="Once upon a", temperature=0, max_tokens=8, logprobs=2)
        self.assertEqual(status, 200)
        choice = answer["choices"][0]
        self.assertEqual("".join(choice["logprobs"]["tokens"]), choice["text"])
        paris = self.post("/v1/completions", prompt="The capital of France is", temperature=0, max_tokens=3)[1]
        self.assertIn("Paris", paris["choices"][0]["text"])
        ids = self.post("/tokenize", content="Once upon a")[1]["tokens"]
        self.assertEqual(self.post("/v1/completions", prompt=ids, temperature=0, max_tokens=8)[1]["choices"][0]["text"], choice["text"])
        chunks = self.stream("/v1/completions", prompt="Once upon a", temperature=0, max_tokens=8)
        self.assertEqual("".join(c["choices"][0]["text"] for c in chunks), choice["text"])
        several = self.post("/v1/completions", prompt=["Once upon a", "The capital of France is"], temperature=0, max_tokens=8, n=2)[1]
        self.assertEqual([c["index"] for c in several["choices"]], [0, 1, 2, 3])
        self.assertEqual([c["text"] for c in several["choices"]][:2], [choice["text"]] * 2)
        self.assertIn("Paris", several["choices"][3]["text"])
        self.assertEqual(several["usage"]["completion_tokens"], 32)
        chunks = self.stream("/v1/completions", prompt=["Once upon a", "The capital of France is"], temperature=0, max_tokens=8, echo=True)
        texts = ["".join(c["choices"][0]["text"] for c in chunks if c["choices"][0]["index"] == i) for i in (0, 1)]
        self.assertEqual(texts[0], "Once upon a" + choice["text"])
        self.assertTrue(texts[1].startswith("The capital of France is"))
        best = self.post("/v1/completions", prompt="Once upon a", temperature=1.5, max_tokens=8, best_of=8, n=2, logprobs=1, seed=1)[1]
        means = [sum(c["logprobs"]["token_logprobs"]) / len(c["logprobs"]["token_logprobs"]) for c in best["choices"]]
        self.assertEqual(len(means), 2)
        self.assertGreaterEqual(means[0], means[1])
        for body, param in ((dict(prompt="x", suffix="y"), "suffix"), (dict(prompt=[]), "prompt"), (dict(prompt="x", n=2, best_of=1), "best_of"),
                            (dict(prompt="x", best_of=3, stream=True), "best_of"), (dict(), "prompt")):
            status, answer = self.post("/v1/completions", **body)
            self.assertEqual((status, answer["error"]["param"]), (400, param), answer)
        echoed = self.post("/v1/completions", prompt="Once upon a", temperature=0, max_tokens=8, echo=True)[1]
        self.assertEqual(echoed["choices"][0]["text"], "Once upon a" + choice["text"])

    def test_tokens_go_back_and_forth(self):
        text = "Grüße, 世界! 🎉 " * 3
        ids = self.post("/tokenize", content=text)[1]["tokens"]
        self.assertEqual(self.post("/detokenize", tokens=ids)[1]["content"], text)

    def test_models_health_metrics(self):
        models = json.loads(self.call("GET", "/v1/models")[1])["data"]
        self.assertEqual(models[0]["id"], "smollm2:135m")
        self.assertEqual(self.call("GET", "/v1/models/" + models[0]["id"])[0], 200)
        self.assertEqual(self.call("GET", "/v1/models/none")[0], 404)
        self.assertEqual(self.call("GET", "/health")[0], 200)
        self.assertIn(b"rival_completion_tokens_total", self.call("GET", "/metrics")[1])

    def test_bad_requests_are_4xx_and_name_the_field(self):
        rows = [
            (dict(messages=[]), 400, "messages"),
            (dict(messages="hi"), 400, "messages"),
            (dict(messages=[{"role": "wizard", "content": "x"}]), 400, "messages[0].role"),
            (dict(messages=[{"role": "user"}]), 400, "messages[0].content"),
            (dict(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]), 400, "messages[0].content"),
            (dict(temperature=-1), 400, "temperature"),
            (dict(temperature="hot"), 400, "temperature"),
            (dict(top_p=2), 400, "top_p"),
            (dict(n=0), 400, "n"),
            (dict(n=1.5), 400, "n"),
            (dict(max_tokens=-5), 400, "max_tokens"),
            (dict(logit_bias={"999999999": 1}), 400, "logit_bias"),
            (dict(stop=[""]), 400, "stop"),
            (dict(top_logprobs=3), 400, "top_logprobs"),
            (dict(tools=[{"type": "function"}]), 400, "tools[0]"),
            (dict(response_format={"type": "poem"}), 400, "response_format.type"),
            (dict(response_format={"type": "json_schema", "json_schema": {"schema": {"unevaluatedFish": 1, "$dynamicRef": "#x"}}}), 400, "response_format"),
            (dict(model="nobody"), 404, "model"),
            (dict(messages=[{"role": "user", "content": "word " * 5000}]), 400, None),
        ]
        for body, status, param in rows:
            got, answer = self.chat(**body)
            self.assertEqual(got, status, (body, answer))
            if param:
                self.assertEqual(answer["error"]["param"], param, answer)
        self.assertEqual(self.chat(messages=[{"role": "user", "content": "word " * 5000}])[1]["error"]["code"], "context_length_exceeded")
        for raw in (b"{", b"[]", b"\xff\xfe", b'{"messages": ' + b"[" * 500, b""):
            self.assertEqual(self.call("POST", "/v1/chat/completions", raw)[0], 400)
        self.assertEqual(self.call("GET", "/v1/chat/completions")[0], 405)
        self.assertEqual(self.call("GET", "/../etc/passwd")[0], 404)

    def test_a_foreign_host_name_is_refused(self):
        self.assertEqual(self.call("GET", "/v1/models", headers={"Host": "evil.example"})[0], 403)
        self.assertEqual(self.call("GET", "/v1/models", headers={"Host": "localhost:1"})[0], 200)

    def test_a_client_that_leaves_frees_its_sequence(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/v1/chat/completions", json.dumps({"messages": [USER], "stream": True, "ignore_eos": True, "max_tokens": 1900}))
        connection.getresponse().read(200)
        connection.close()
        for _ in range(200):
            time.sleep(0.05)
            if b'rival_running{model="smollm2:135m"} 0' in self.call("GET", "/metrics")[1]:
                return
        self.fail("the sequence still runs")


class Keys(unittest.TestCase):
    def test_a_key_is_needed_once_one_is_set(self):
        server = Server(RIVAL, "--key", "secret")
        for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "Bearer secret"}, 200),
                                ({"x-api-key": "secret"}, 200)):
            self.assertEqual(server.call("GET", "/v1/models", headers=headers)[0], status)
        server.stop()

    def test_other_machines_need_a_key(self):
        run = subprocess.run([RIVAL, "serve", "--host", "0.0.0.0", "--port", "0"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("--key", run.stderr)


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
