"""Ollama's own Python client against the server."""
import json
import unittest

import ollama

from support import CHAT, CITY, EMBED, LONG, URL, USER, WEATHER, wait_idle

client = ollama.Client(host=URL)
GREEDY = {"temperature": 0, "num_predict": 12}


class Answers(unittest.TestCase):
    def test_a_chat_and_its_stream(self):
        whole = client.chat(CHAT, [USER], options=GREEDY)
        self.assertEqual(whole.message.role, "assistant")
        self.assertGreater(whole.eval_count, 0)
        self.assertGreater(whole.total_duration, whole.eval_duration)
        lines = list(client.chat(CHAT, [USER], options=GREEDY, stream=True))
        self.assertEqual("".join(line.message.content for line in lines), whole.message.content)
        self.assertEqual([line.done for line in lines], [False] * (len(lines) - 1) + [True])
        self.assertEqual(lines[-1].done_reason, whole.done_reason)

    def test_generate(self):
        raw = client.generate(CHAT, "The capital of France is", raw=True, options=GREEDY)
        self.assertIn("Paris", raw.response)
        chat = client.generate(CHAT, USER["content"], system="You are brief.", options=GREEDY)
        self.assertNotEqual(chat.response, raw.response)
        stopped = client.generate(CHAT, "The capital of France is", raw=True, options=dict(GREEDY, stop=["aris"]))
        self.assertEqual(stopped.response, " P")

    def test_formats(self):
        answer = client.chat(CHAT, [USER], format=CITY, options={"temperature": 0, "num_predict": 100})
        self.assertIn(json.loads(answer.message.content)["city"], ["Paris", "Rome"])

    def test_logprobs(self):
        answer = client.chat(CHAT, [USER], options=GREEDY, logprobs=True, top_logprobs=2)
        self.assertEqual("".join(t.token for t in answer.logprobs), answer.message.content)
        self.assertEqual(len(answer.logprobs[0].top_logprobs), 2)

    def test_embeddings(self):
        vectors = client.embed(EMBED, ["a cat", "a kitten", "tax law"]).embeddings
        dot = lambda x, y: sum(p * q for p, q in zip(x, y))
        self.assertGreater(dot(vectors[0], vectors[1]), dot(vectors[0], vectors[2]) + 0.2)
        older = client.embeddings(EMBED, "a cat").embedding
        self.assertAlmostEqual(dot(vectors[0], older), 1, places=3)
        # Longer than the model reads: cut, as this API has it, unless the client says otherwise.
        self.assertEqual(len(client.embed(EMBED, "word " * 2000).embeddings), 1)
        with self.assertRaises(ollama.ResponseError):
            client.embed(EMBED, "word " * 2000, truncate=False)


class Tools(unittest.TestCase):
    def test_tools_reach_the_model(self):
        # This API leaves the choice to the model; a small one may talk instead. What it calls is told whole.
        tool = {"type": "function", "function": {"name": "weather", "description": "The weather in a city.", "parameters": WEATHER}}
        question = {"role": "user", "content": "What is the weather in Paris?"}
        answer = client.chat(CHAT, [question], tools=[tool], options=GREEDY)
        self.assertGreater(answer.prompt_eval_count, client.chat(CHAT, [question], options=GREEDY).prompt_eval_count)
        for call in answer.message.tool_calls or []:
            self.assertEqual(call.function.name, "weather")


class Models(unittest.TestCase):
    def test_lists(self):
        self.assertIn(CHAT, [m.model for m in client.list().models])
        self.assertIn(CHAT, [m.model for m in client.ps().models])

    def test_show(self):
        shown = client.show(CHAT)
        self.assertEqual(shown.capabilities[0], "completion")
        self.assertEqual(shown.modelinfo["llama.context_length"], 8192)
        self.assertEqual(client.show(EMBED).capabilities, ["embedding"])

    def test_a_request_without_messages_loads(self):
        self.assertEqual(client.chat(CHAT, []).done_reason, "load")


class Errors(unittest.TestCase):
    def test_they_are_told(self):
        for call, status in ((lambda: client.chat("no-such-model", [USER]), 404), (lambda: client.chat(CHAT, [USER], options={"top_p": 7}), 400),
                             (lambda: client.chat(CHAT, [{"role": "user", "content": "word " * 20_000}]), 400),
                             (lambda: client.generate(CHAT, "x", images=[b"hi"]), 400), (lambda: client.embed(CHAT, "x"), 400)):
            with self.assertRaises(ollama.ResponseError) as caught:
                call()
            self.assertEqual(caught.exception.status_code, status, caught.exception.error)

    def test_num_ctx_bounds_prompt_and_answer(self):
        options = {"num_ctx": 64, "temperature": 0}
        answer = client.chat(CHAT, [LONG], options=options)
        self.assertEqual((answer.done_reason, answer.prompt_eval_count + answer.eval_count), ("length", 64))
        with self.assertRaises(ollama.ResponseError):
            client.chat(CHAT, [LONG], options={"num_ctx": 16})


class Cancellation(unittest.TestCase):
    def test_a_closed_stream_ends_the_answer(self):
        stream = client.chat(CHAT, [LONG], stream=True, options={"num_predict": 1500})
        next(stream)
        stream.close()
        self.assertTrue(wait_idle())


if __name__ == "__main__":
    unittest.main()
