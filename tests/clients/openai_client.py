"""OpenAI's own Python client against the server."""
import json
import unittest
from typing import Literal

import openai
import pydantic

from support import CHAT, CITY, EMBED, LONG, URL, USER, WEATHER, Between, wait_idle

client = openai.OpenAI(base_url=URL + "/v1", api_key="none", max_retries=0)


class City(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    city: Literal["Paris", "Rome"]
    capital: bool


class Chat(unittest.TestCase):
    def test_a_chat(self):
        answer = client.chat.completions.create(model=CHAT, messages=[USER], max_completion_tokens=12, temperature=0)
        self.assertEqual(answer.choices[0].message.role, "assistant")
        self.assertTrue(answer.choices[0].message.content)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_a_stream_says_the_same(self):
        options = dict(model=CHAT, messages=[USER], max_tokens=12, temperature=0)
        whole = client.chat.completions.create(**options)
        chunks = list(client.chat.completions.create(**options, stream=True, stream_options={"include_usage": True}))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertEqual(text, whole.choices[0].message.content)
        self.assertEqual([c.choices[0].finish_reason for c in chunks if c.choices][-1], whole.choices[0].finish_reason)
        self.assertEqual(chunks[-1].usage.completion_tokens, whole.usage.completion_tokens)

    def test_the_stream_helper_accumulates(self):
        with client.chat.completions.stream(model=CHAT, messages=[USER], max_tokens=200, stop="a", temperature=0) as stream:
            text = "".join(event.delta for event in stream if event.type == "content.delta")
            final = stream.get_final_completion()
        self.assertEqual(final.choices[0].message.content, text)

    def test_several_answers_with_logprobs(self):
        answer = client.chat.completions.create(model=CHAT, messages=[USER], n=2, max_tokens=4, seed=7, logprobs=True, top_logprobs=2)
        self.assertEqual(len(answer.choices), 2)
        for choice in answer.choices:
            self.assertEqual("".join(t.token for t in choice.logprobs.content), choice.message.content)
            self.assertEqual(len(choice.logprobs.content[0].top_logprobs), 2)

    def test_structured_output(self):
        answer = client.chat.completions.parse(model=CHAT, messages=[USER], response_format=City, max_tokens=100, seed=1)
        self.assertIsInstance(answer.choices[0].message.parsed, City)
        schema = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY, "strict": True}}
        answer = client.chat.completions.create(model=CHAT, messages=[USER], response_format=schema, max_tokens=100, seed=1)
        self.assertIn(json.loads(answer.choices[0].message.content)["city"], ["Paris", "Rome"])


class Tools(unittest.TestCase):
    tool = {"type": "function", "function": {"name": "weather", "description": "The weather in a city.", "parameters": WEATHER}}
    options = dict(model=CHAT, messages=[{"role": "user", "content": "What is the weather in Paris?"}], tools=[tool], tool_choice="required",
                   parallel_tool_calls=False, max_tokens=100, temperature=0)

    def test_a_call_and_its_result(self):
        answer = client.chat.completions.create(**self.options).choices[0]
        self.assertEqual(answer.finish_reason, "tool_calls")
        call = answer.message.tool_calls[0]
        self.assertEqual(call.function.name, "weather")
        self.assertIn(json.loads(call.function.arguments)["city"], ["Paris", "Rome"])
        result = {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"}
        messages = self.options["messages"] + [answer.message.model_dump(exclude_none=True), result]
        last = client.chat.completions.create(**dict(self.options, messages=messages, tool_choice="none"))
        self.assertIsNone(last.choices[0].message.tool_calls)

    def test_a_streamed_call_is_the_same(self):
        whole = client.chat.completions.create(**self.options).choices[0].message.tool_calls[0].function
        with client.chat.completions.stream(**self.options) as stream:
            call = stream.get_final_completion().choices[0].message.tool_calls[0].function
        self.assertEqual((call.name, call.arguments), (whole.name, whole.arguments))


class Others(unittest.TestCase):
    def test_models(self):
        self.assertIn(CHAT, [m.id for m in client.models.list()])
        self.assertEqual(client.models.retrieve(CHAT).id, CHAT)

    def test_completions(self):
        answer = client.completions.create(model=CHAT, prompt="The capital of France is", max_tokens=3, temperature=0, stop="\n")
        self.assertIn("Paris", answer.choices[0].text)

    def test_embeddings(self):
        # The client asks for base64 and decodes it.
        one = client.embeddings.create(model=EMBED, input=["a cat", "a kitten", "tax law"])
        self.assertEqual([d.index for d in one.data], [0, 1, 2])
        a, b, c = (d.embedding for d in one.data)
        dot = lambda x, y: sum(p * q for p, q in zip(x, y))
        self.assertGreater(dot(a, b), dot(a, c) + 0.2)
        floats = client.embeddings.create(model=EMBED, input="a cat", encoding_format="float")
        self.assertAlmostEqual(dot(a, floats.data[0].embedding), 1, places=3)


class Responses(unittest.TestCase):
    def test_a_response_and_what_follows_it(self):
        first = client.responses.create(model=CHAT, input="My name is Ada.", instructions="You are brief.", max_output_tokens=12, temperature=0)
        self.assertTrue(first.output_text)
        second = client.responses.create(model=CHAT, input="And now?", previous_response_id=first.id, max_output_tokens=12, temperature=0)
        self.assertGreater(second.usage.input_tokens, first.usage.input_tokens)
        self.assertEqual(client.responses.retrieve(first.id).output_text, first.output_text)
        client.responses.delete(first.id)
        with self.assertRaises(openai.NotFoundError):
            client.responses.retrieve(first.id)

    def test_a_stream_says_the_same(self):
        options = dict(model=CHAT, input=USER["content"], max_output_tokens=12, temperature=0)
        with client.responses.stream(**options) as stream:
            text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        self.assertEqual(text, client.responses.create(**options).output_text)

    def test_structured_output(self):
        answer = client.responses.parse(model=CHAT, input=USER["content"], text_format=City, max_output_tokens=100, temperature=0)
        self.assertIsInstance(answer.output_parsed, City)


class Errors(unittest.TestCase):
    def test_each_has_its_class(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="no-such-model", messages=[USER])
        self.assertEqual(caught.exception.code, "model_not_found")
        with self.assertRaises(openai.BadRequestError) as caught:
            client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "word " * 20_000}])
        self.assertEqual(caught.exception.code, "context_length_exceeded")
        with self.assertRaises(openai.BadRequestError) as caught:
            client.chat.completions.create(model=CHAT, messages=[USER], temperature=9)
        self.assertEqual(caught.exception.param, "temperature")

    def test_only_what_may_succeed_is_tried_again(self):
        with Between(failures=1) as between:
            again = client.with_options(base_url=between.url + "/v1", max_retries=2)
            self.assertTrue(again.chat.completions.create(model=CHAT, messages=[USER], max_tokens=2).choices)
            self.assertEqual(between.count, 2)
            with self.assertRaises(openai.BadRequestError):
                again.chat.completions.create(model=CHAT, messages=[])
            self.assertEqual(between.count, 3)


class Cancellation(unittest.TestCase):
    def test_a_closed_stream_ends_the_answer(self):
        stream = client.chat.completions.create(model=CHAT, messages=[LONG], stream=True, max_tokens=1500, extra_body={"ignore_eos": True})
        next(iter(stream))
        stream.close()
        self.assertTrue(wait_idle())


if __name__ == "__main__":
    unittest.main()
