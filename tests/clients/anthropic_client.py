"""Anthropic's own Python client against the server."""
import json
import unittest

import anthropic

from support import CHAT, CITY, LONG, URL, USER, WEATHER, Between, wait_idle

client = anthropic.Anthropic(base_url=URL, api_key="none", max_retries=0)
# This version of the client has no argument for the temperature any more; the API still has the field.
GREEDY = dict(model=CHAT, messages=[USER], max_tokens=12, extra_body={"temperature": 0})


class Messages(unittest.TestCase):
    def test_a_message(self):
        message = client.messages.create(**GREEDY, system="You are brief.", metadata={"user_id": "u"})
        self.assertEqual((message.type, message.role, message.model), ("message", "assistant", CHAT))
        self.assertEqual(message.content[0].type, "text")
        self.assertRegex(message._request_id, "^req_")
        self.assertIn(message.stop_reason, ("end_turn", "max_tokens"))
        self.assertGreater(message.usage.output_tokens, 0)

    def test_a_stream_says_the_same(self):
        whole = client.messages.create(**GREEDY)
        with client.messages.stream(**GREEDY) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        self.assertEqual(text, whole.content[0].text)
        self.assertEqual(final.content[0].text, text)
        self.assertEqual(final.stop_reason, whole.stop_reason)
        self.assertEqual(final.usage.output_tokens, whole.usage.output_tokens)
        self.assertEqual(final.usage.input_tokens + final.usage.cache_read_input_tokens, whole.usage.input_tokens + whole.usage.cache_read_input_tokens)

    def test_events_in_their_order(self):
        kinds = [event.type for event in client.messages.create(**GREEDY, stream=True)]
        self.assertEqual(kinds[:2], ["message_start", "content_block_start"])
        self.assertEqual(kinds[-3:], ["content_block_stop", "message_delta", "message_stop"])

    def test_a_prompt_comes_from_the_cache(self):
        client.messages.create(**GREEDY)
        self.assertGreater(client.messages.create(**GREEDY).usage.cache_read_input_tokens, 0)

    def test_prefill(self):
        start = {"role": "assistant", "content": "The capital of France is"}
        message = client.messages.create(**dict(GREEDY, messages=[USER, start]))
        self.assertTrue(message.content[0].text.startswith(" Paris"), message.content[0].text)

    def test_stop_sequences(self):
        message = client.messages.create(**dict(GREEDY, max_tokens=60, stop_sequences=["a"]))
        self.assertEqual((message.stop_reason, message.stop_sequence), ("stop_sequence", "a"))
        self.assertNotIn("a", message.content[0].text)

    def test_structured_output(self):
        options = dict(GREEDY, max_tokens=100, output_config={"format": {"type": "json_schema", "schema": CITY}})
        self.assertIn(json.loads(client.messages.create(**options).content[0].text)["city"], ["Paris", "Rome"])

    def test_counting(self):
        counted = client.messages.count_tokens(model=CHAT, messages=[USER])
        usage = client.messages.create(**GREEDY).usage
        self.assertEqual(counted.input_tokens, usage.input_tokens + usage.cache_read_input_tokens)

    def test_models(self):
        self.assertIn(CHAT, [m.id for m in client.models.list(limit=1)])
        self.assertEqual(client.models.retrieve(CHAT).type, "model")


class Tools(unittest.TestCase):
    options = dict(model=CHAT, messages=[{"role": "user", "content": "What is the weather in Paris?"}], max_tokens=100, extra_body={"temperature": 0},
                   tools=[{"name": "weather", "description": "The weather in a city.", "input_schema": WEATHER}],
                   tool_choice={"type": "tool", "name": "weather", "disable_parallel_tool_use": True})

    def test_a_call_and_its_result(self):
        message = client.messages.create(**self.options)
        self.assertEqual(message.stop_reason, "tool_use")
        call = message.content[-1]
        self.assertEqual((call.type, call.name), ("tool_use", "weather"))
        self.assertIn(call.input["city"], ["Paris", "Rome"])
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "12 degrees"}]}
        messages = self.options["messages"] + [message.to_param() if hasattr(message, "to_param") else message, result]
        last = client.messages.create(**dict(self.options, messages=messages, tool_choice={"type": "none"}))
        self.assertNotEqual(last.stop_reason, "tool_use")

    def test_a_streamed_call_is_the_same(self):
        whole = client.messages.create(**self.options)
        with client.messages.stream(**self.options) as stream:
            final = stream.get_final_message()
        self.assertEqual(final.content[-1].input, whole.content[-1].input)
        self.assertEqual(final.stop_reason, "tool_use")


class Errors(unittest.TestCase):
    def test_each_has_its_class(self):
        with self.assertRaises(anthropic.NotFoundError) as caught:
            client.messages.create(**dict(GREEDY, model="no-such-model"))
        self.assertEqual(caught.exception.type, "not_found_error")
        self.assertEqual(caught.exception.request_id, caught.exception.body["request_id"])
        with self.assertRaises(anthropic.BadRequestError) as caught:
            client.messages.create(**dict(GREEDY, messages=[{"role": "user", "content": "word " * 20_000}]))
        self.assertIn("prompt is too long", str(caught.exception))
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
        with self.assertRaises(anthropic.BadRequestError) as caught:
            client.messages.create(**dict(GREEDY, messages=[{"role": "user", "content": [image]}]))
        self.assertIn("image", str(caught.exception))

    def test_only_what_may_succeed_is_tried_again(self):
        with Between(failures=1) as between:
            again = client.with_options(base_url=between.url, max_retries=2)
            self.assertTrue(again.messages.create(**GREEDY).content)
            self.assertEqual(between.count, 2)
            with self.assertRaises(anthropic.BadRequestError):
                again.messages.create(**dict(GREEDY, extra_body={"top_p": 7}))
            self.assertEqual(between.count, 3)


class Cancellation(unittest.TestCase):
    def test_a_closed_stream_ends_the_answer(self):
        with client.messages.stream(model=CHAT, messages=[LONG], max_tokens=1500) as stream:
            next(iter(stream.text_stream))
        self.assertTrue(wait_idle())


if __name__ == "__main__":
    unittest.main()
