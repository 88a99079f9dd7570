"""/v1/responses and /v1/conversations of the running server, asked by OpenAI's own client."""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from serve_support import Server, venv

RIVAL = None
SHORT = dict(model="", input="Say hello.", max_output_tokens=8, temperature=0)
LONG = dict(model="", input="Write a long story about a dragon.", max_output_tokens=1500, temperature=0)
WEATHER = {"type": "function", "name": "weather", "description": "The weather of a city.", "strict": True,
           "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"],
                          "additionalProperties": False}}
COLOUR = {"type": "object", "properties": {"colour": {"enum": ["red", "green"]}}, "required": ["colour"], "additionalProperties": False}


class Case(unittest.TestCase):
    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.database = pathlib.Path(cls.folder.name) / "kept.db"
        cls.server = cls.start()
        cls.client = cls.connect()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    @classmethod
    def start(cls):
        return Server(RIVAL, "--context", "2048", "--database", str(cls.database), *cls.arguments)

    @classmethod
    def connect(cls, key="none"):
        return openai.OpenAI(base_url=cls.server.url + "/v1", api_key=key, max_retries=0)

    def wait_for(self, id, *statuses):
        for _ in range(600):
            response = self.client.responses.retrieve(id)
            if response.status in statuses:
                return response
            time.sleep(0.05)
        self.fail(f"{id} is {response.status}")

    def refused(self, status, param, **body):
        with self.assertRaises(openai.APIStatusError) as caught:
            self.client.responses.create(**{**SHORT, **body})
        self.assertEqual(caught.exception.status_code, status, caught.exception)
        self.assertEqual(caught.exception.param, param)
        return caught.exception


class Responses(Case):
    def test_an_answer_is_kept_and_found_again(self):
        made = self.client.responses.create(**SHORT, instructions="Be brief.", metadata={"a": "b"})
        self.assertIn(made.status, ("completed", "incomplete"))
        self.assertTrue(made.output_text)
        self.assertGreater(made.usage.output_tokens, 0)
        self.assertEqual(made.usage.total_tokens, made.usage.input_tokens + made.usage.output_tokens)
        self.assertEqual(self.client.responses.retrieve(made.id).to_dict(), made.to_dict())
        self.assertEqual(made.metadata, {"a": "b"})
        self.assertEqual(made.instructions, "Be brief.")
        self.client.responses.delete(made.id)
        for call in (self.client.responses.retrieve, self.client.responses.delete, self.client.responses.input_items.list):
            with self.assertRaises(openai.NotFoundError):
                call(made.id)

    def test_what_shall_not_be_kept_is_not(self):
        made = self.client.responses.create(**SHORT, store=False)
        with self.assertRaises(openai.NotFoundError):
            self.client.responses.retrieve(made.id)

    def test_the_length_ends_an_answer(self):
        made = self.client.responses.create(**{**LONG, "max_output_tokens": 4})
        self.assertEqual(made.status, "incomplete")
        self.assertEqual(made.incomplete_details.reason, "max_output_tokens")
        self.assertEqual(made.usage.output_tokens, 4)

    def test_the_stream_tells_the_same(self):
        whole = self.client.responses.create(**SHORT)
        with self.client.responses.stream(**SHORT) as stream:
            events = list(stream)
            final = stream.get_final_response() if events[-1].type == "response.completed" else events[-1].response
        self.assertEqual([e.sequence_number for e in events], list(range(len(events))))
        kinds = [e.type for e in events]
        self.assertEqual(kinds[:4], ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"])
        self.assertEqual(kinds[-4:-1], ["response.output_text.done", "response.content_part.done", "response.output_item.done"])
        self.assertIn(kinds[-1], ("response.completed", "response.incomplete"))
        text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        self.assertEqual(text, whole.output_text)
        self.assertEqual(final.output_text, text)
        self.assertEqual(self.client.responses.retrieve(final.id).output_text, text)

    def test_an_answer_goes_on_from_the_one_before(self):
        first = self.client.responses.create(**{**SHORT, "input": "My name is Ada."})
        second = self.client.responses.create(**{**SHORT, "input": "What is my name?"}, previous_response_id=first.id)
        self.assertEqual(second.previous_response_id, first.id)
        # The same as when all is told at once.
        told = self.client.responses.create(**{**SHORT, "input": [
            {"role": "user", "content": "My name is Ada."}, *[item.to_dict() for item in first.output],
            {"role": "user", "content": "What is my name?"}]})
        self.assertEqual(second.usage.input_tokens, told.usage.input_tokens)
        self.assertEqual(second.output_text, told.output_text)
        third = self.client.responses.create(**SHORT, previous_response_id=second.id)
        self.assertGreater(third.usage.input_tokens, second.usage.input_tokens)
        self.client.responses.delete(first.id)
        self.refused(404, "previous_response_id", previous_response_id=second.id)
        self.refused(404, "previous_response_id", previous_response_id="resp_none")

    def test_items_can_be_named_instead_of_sent_again(self):
        first = self.client.responses.create(**{**SHORT, "input": "My name is Ada."})
        named = self.client.responses.create(**{**SHORT, "input": [{"type": "item_reference", "id": first.output[0].id},
                                                                  {"role": "user", "content": "And?"}]})
        sent = self.client.responses.create(**{**SHORT, "input": [first.output[0].to_dict(), {"role": "user", "content": "And?"}]})
        self.assertEqual(named.output_text, sent.output_text)
        self.refused(404, "input[0].id", input=[{"type": "item_reference", "id": "msg_none"}])

    def test_the_input_is_listed_in_pages(self):
        texts = [f"Number {i}." for i in range(5)]
        made = self.client.responses.create(**{**SHORT, "input": [{"role": "user", "content": t} for t in texts]})
        pages = self.client.responses.input_items
        self.assertEqual([i.content[0].text for i in pages.list(made.id, limit=2)], texts[::-1])
        self.assertEqual([i.content[0].text for i in pages.list(made.id, limit=2, order="asc")], texts)
        self.assertEqual(len(pages.list(made.id, limit=2).data), 2)
        self.assertTrue(pages.list(made.id, limit=2).has_more)
        with self.assertRaises(openai.BadRequestError):
            pages.list(made.id, limit=0)

    def test_structured_output_is_what_the_schema_says(self):
        made = self.client.responses.create(**{**SHORT, "input": "A colour?", "max_output_tokens": 40},
                                            text={"format": {"type": "json_schema", "name": "colour", "schema": COLOUR, "strict": True}})
        self.assertIn(json.loads(made.output_text)["colour"], ("red", "green"))
        anything = self.client.responses.create(**{**SHORT, "input": "A colour?", "max_output_tokens": 200}, text={"format": {"type": "json_object"}})
        if anything.status == "completed":
            self.assertIsInstance(json.loads(anything.output_text), dict)
        self.refused(400, "text.format.schema", text={"format": {"type": "json_schema", "name": "x", "schema": {"type": "nothing"}}})

    def test_log_probabilities(self):
        made = self.client.responses.create(**SHORT, top_logprobs=2, include=["message.output_text.logprobs"])
        rows = made.output[0].content[0].logprobs
        self.assertEqual("".join(r.token for r in rows), made.output_text)
        self.assertTrue(all(len(r.top_logprobs) == 2 for r in rows))
        plain = self.client.responses.create(**SHORT)
        self.assertEqual(plain.output[0].content[0].logprobs, [])

    def test_temperature_changes_the_answer(self):
        texts = {self.client.responses.create(**{**SHORT, "temperature": 2, "max_output_tokens": 24}).output_text for _ in range(3)}
        self.assertGreater(len(texts), 1)
        narrow = {self.client.responses.create(**{**SHORT, "temperature": 1, "top_p": 0, "max_output_tokens": 24}).output_text for _ in range(3)}
        self.assertEqual(len(narrow), 1)

    def test_truncation_leaves_the_oldest_out(self):
        turns = [{"role": "user" if i % 2 == 0 else "assistant", "content": f"{i} " * 300} for i in range(11)]
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.responses.create(**{**SHORT, "input": turns})
        self.assertEqual(caught.exception.code, "context_length_exceeded")
        self.assertEqual(caught.exception.param, "input")
        self.assertGreater(self.client.responses.input_tokens.count(model="", input=turns).input_tokens, 2048)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.responses.create(**{**SHORT, "input": "far too long " * 3000}, truncation="auto")
        self.assertEqual(caught.exception.param, "input")
        made = self.client.responses.create(**{**SHORT, "input": turns}, truncation="auto", instructions="Stay.")
        self.assertLess(made.usage.input_tokens, 2048)
        self.assertGreater(made.usage.input_tokens, 300)
        self.assertEqual(made.truncation, "auto")

    def test_input_tokens_are_counted(self):
        count = self.client.responses.input_tokens.count(model="", input="Say hello.")
        made = self.client.responses.create(**SHORT)
        self.assertEqual(count.input_tokens, made.usage.input_tokens)

    def test_what_is_not_honoured_is_refused_by_name(self):
        self.refused(400, "max_tool_calls", max_tool_calls=3)
        self.refused(400, "prompt", prompt={"id": "x"})
        self.refused(400, "service_tier", service_tier="flex")
        self.refused(400, "text.verbosity", text={"verbosity": "low"})
        self.refused(400, "reasoning.summary", reasoning={"summary": "detailed"})
        self.refused(400, "tools[0].type", tools=[{"type": "web_search"}])
        self.refused(400, "tools[0].parameters", tools=[{**WEATHER, "parameters": {"type": "nothing"}}])
        self.refused(400, "include", include=["file_search_call.results"])
        self.refused(400, "surprise", extra_body={"surprise": 1})
        self.refused(400, "input[0].content[0].type", input=[{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}])
        self.refused(400, "input[0].role", input=[{"role": "robot", "content": "x"}])
        self.refused(400, "temperature", temperature=3)
        self.refused(400, "metadata", metadata={"k": "v" * 513})
        self.refused(400, "tool_choice", tool_choice="required")
        self.refused(400, "background", background=True, store=False)
        self.refused(400, "previous_response_id", previous_response_id="resp_x", conversation="conv_x")
        self.refused(404, "model", model="no-such-model")


class Background(Case):
    def test_it_goes_on_alone(self):
        made = self.client.responses.create(**{**SHORT, "max_output_tokens": 20}, background=True)
        self.assertEqual(made.status, "queued")
        self.assertEqual(made.output, [])
        done = self.wait_for(made.id, "completed", "incomplete")
        self.assertTrue(done.output_text)
        again = self.client.responses.create(**SHORT, previous_response_id=made.id)
        self.assertGreater(again.usage.input_tokens, done.usage.input_tokens)

    def test_it_can_be_cancelled(self):
        made = self.client.responses.create(**LONG, background=True)
        self.assertEqual(self.client.responses.cancel(made.id).status, "cancelled")
        self.assertEqual(self.client.responses.retrieve(made.id).status, "cancelled")
        self.assertEqual(self.client.responses.cancel(made.id).status, "cancelled")
        kept = self.client.responses.create(**SHORT)
        with self.assertRaises(openai.BadRequestError):
            self.client.responses.cancel(kept.id)
        with self.assertRaises(openai.NotFoundError):
            self.client.responses.cancel("resp_none")

    def test_a_stream_is_picked_up_where_it_broke(self):
        stream = self.client.responses.create(**{**LONG, "max_output_tokens": 60}, background=True, stream=True)
        seen = []
        for event in stream:
            seen.append(event)
            if len(seen) == 10:
                break
        stream.close()
        id = seen[0].response.id
        self.assertEqual(seen[1].type, "response.queued")
        rest = list(self.client.responses.retrieve(id, stream=True, starting_after=seen[-1].sequence_number))
        numbers = [e.sequence_number for e in seen + rest]
        self.assertEqual(numbers, list(range(len(numbers))))
        text = "".join(e.delta for e in seen + rest if e.type == "response.output_text.delta")
        self.assertEqual(text, rest[-1].response.output_text)
        # And once more, when all is over.
        again = list(self.client.responses.retrieve(id, stream=True, starting_after=seen[-1].sequence_number))
        self.assertEqual([e.to_dict() for e in again], [e.to_dict() for e in rest])
        plain = self.client.responses.create(**SHORT)
        with self.assertRaises(openai.BadRequestError):
            list(self.client.responses.retrieve(plain.id, stream=True))

    def test_deleting_ends_it(self):
        made = self.client.responses.create(**LONG, background=True)
        self.client.responses.delete(made.id)
        with self.assertRaises(openai.NotFoundError):
            self.wait_for(made.id, "completed")


class Tools(Case):
    def test_a_call_and_its_result(self):
        made = self.client.responses.create(**{**SHORT, "input": "What is the weather in Rome?", "max_output_tokens": 80}, tools=[WEATHER],
                                            tool_choice="required")
        call = next(item for item in made.output if item.type == "function_call")
        self.assertEqual(call.name, "weather")
        self.assertEqual(list(json.loads(call.arguments)), ["city"])
        answer = self.client.responses.create(**{**SHORT, "input": [{"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]},
                                              previous_response_id=made.id, tools=[WEATHER], tool_choice="none")
        self.assertEqual([item.type for item in answer.output], ["message"])
        self.assertTrue(answer.output_text)

    def test_the_stream_of_a_call(self):
        events = list(self.client.responses.create(**{**SHORT, "input": "What is the weather in Rome?", "max_output_tokens": 80}, tools=[WEATHER],
                                                   tool_choice={"type": "function", "name": "weather"}, parallel_tool_calls=False, stream=True))
        added = next(e for e in events if e.type == "response.output_item.added" and e.item.type == "function_call")
        pieces = "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta")
        done = next(e for e in events if e.type == "response.function_call_arguments.done")
        self.assertEqual(done.arguments, pieces)
        self.assertEqual(done.item_id, added.item.id)
        self.assertEqual(next(i for i in events[-1].response.output if i.type == "function_call").arguments, pieces)


class Conversations(Case):
    def test_a_conversation_and_its_items(self):
        api = self.client.conversations
        made = api.create(metadata={"topic": "names"}, items=[{"type": "message", "role": "user", "content": "My name is Ada."}])
        self.assertEqual(api.retrieve(made.id).metadata, {"topic": "names"})
        self.assertEqual(api.update(made.id, metadata={"topic": "ages"}).metadata, {"topic": "ages"})
        added = api.items.create(made.id, items=[{"role": "assistant", "content": "Hello Ada."}, {"role": "user", "content": "Hello."}])
        self.assertEqual(len(added.data), 2)
        texts = ["My name is Ada.", "Hello Ada.", "Hello."]
        self.assertEqual([i.content[0].text for i in api.items.list(made.id, order="asc", limit=1)], texts)
        self.assertEqual([i.content[0].text for i in api.items.list(made.id)], texts[::-1])
        item = api.items.retrieve(added.data[0].id, conversation_id=made.id)
        self.assertEqual((item.role, item.content[0].type), ("assistant", "output_text"))
        api.items.delete(item.id, conversation_id=made.id)
        with self.assertRaises(openai.NotFoundError):
            api.items.retrieve(item.id, conversation_id=made.id)
        self.assertTrue(api.delete(made.id).deleted)
        with self.assertRaises(openai.NotFoundError):
            api.retrieve(made.id)

    def test_responses_read_and_write_it(self):
        conversation = self.client.conversations.create()
        first = self.client.responses.create(**{**SHORT, "input": "My name is Ada."}, conversation=conversation.id)
        self.assertEqual(first.conversation.id, conversation.id)
        second = self.client.responses.create(**{**SHORT, "input": "What is my name?"}, conversation={"id": conversation.id})
        self.assertGreater(second.usage.input_tokens, first.usage.input_tokens)
        items = list(self.client.conversations.items.list(conversation.id, order="asc"))
        self.assertEqual([i.role for i in items], ["user", "assistant", "user", "assistant"])
        self.assertEqual(items[1].content[0].text, first.output_text)
        self.refused(404, "conversation", conversation="conv_none")

    def test_wrong_items_are_named(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.conversations.create(items=[{"role": "user", "content": "x"}] * 21)
        self.assertEqual(caught.exception.param, "items")
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.conversations.create(metadata={"k" * 65: "x"})
        self.assertEqual(caught.exception.param, "metadata")


class Keys(Case):
    arguments = ("--key", "first", "--key", "second")

    def test_each_key_sees_its_own(self):
        mine, theirs = self.connect("first"), self.connect("second")
        made = mine.responses.create(**SHORT)
        conversation = mine.conversations.create()
        self.assertEqual(mine.responses.retrieve(made.id).id, made.id)
        for call in (lambda: theirs.responses.retrieve(made.id), lambda: theirs.responses.delete(made.id),
                     lambda: theirs.conversations.retrieve(conversation.id), lambda: theirs.conversations.delete(conversation.id),
                     lambda: theirs.responses.create(**SHORT, previous_response_id=made.id),
                     lambda: theirs.responses.create(**SHORT, conversation=conversation.id),
                     lambda: theirs.responses.create(**{**SHORT, "input": [{"type": "item_reference", "id": made.output[0].id}]})):
            with self.assertRaises(openai.NotFoundError):
                call()
        running = mine.responses.create(**LONG, background=True)
        with self.assertRaises(openai.NotFoundError):
            theirs.responses.retrieve(running.id)
        with self.assertRaises(openai.NotFoundError):
            theirs.responses.cancel(running.id)
        mine.responses.cancel(running.id)


class Old(Case):
    arguments = ("--keep-responses", "0.00001")  # 0.864 s

    def test_what_is_old_is_removed(self):
        made = self.client.responses.create(**SHORT)
        conversation = self.client.conversations.create()
        time.sleep(2)
        self.server.process.send_signal(signal.SIGHUP)  # in place of an hour
        def is_gone():
            try:
                self.client.responses.retrieve(made.id)
                return False
            except openai.NotFoundError:
                return True
        self.server.wait_until(is_gone)
        self.assertEqual(self.client.conversations.retrieve(conversation.id).id, conversation.id)


class Killed(Case):
    def test_what_was_acknowledged_is_there_afterwards(self):
        made = self.client.responses.create(**SHORT)
        conversation = self.client.conversations.create(metadata={"kept": "yes"})
        running = self.client.responses.create(**LONG, background=True)
        events = self.client.responses.retrieve(running.id, stream=True)
        seen = [next(events) for _ in range(30)]
        shown = self.client.responses.retrieve(running.id)
        self.assertEqual(shown.status, "in_progress")
        self.assertTrue(shown.output_text)
        cls = type(self)
        self.server.process.kill()
        self.server.process.wait()
        self.server.process.stdout.close()
        cls.server = cls.start()
        cls.client = cls.connect()
        self.assertEqual(self.client.responses.retrieve(made.id).to_dict(), made.to_dict())
        self.assertEqual(self.client.conversations.retrieve(conversation.id).metadata, {"kept": "yes"})
        lost = self.client.responses.retrieve(running.id)
        self.assertEqual((lost.status, lost.error.code), ("failed", "server_error"))
        # With all that was told of it, and its stream goes on where it broke off.
        self.assertTrue(lost.output_text.startswith(shown.output_text), (lost.output_text, shown.output_text))
        self.assertEqual(lost.output[0].status, "incomplete")
        rest = list(self.client.responses.retrieve(running.id, stream=True, starting_after=seen[-1].sequence_number))
        numbers = [e.sequence_number for e in seen + rest]
        self.assertEqual(numbers, list(range(len(numbers))))
        text = "".join(e.delta for e in seen + rest if e.type == "response.output_text.delta")
        self.assertEqual((text, rest[-1].type, rest[-1].response.output_text), (lost.output_text, "response.failed", lost.output_text))
        self.assertEqual(self.client.responses.create(**SHORT, previous_response_id=running.id).previous_response_id, running.id)
        again = self.client.responses.create(**SHORT, previous_response_id=made.id)
        self.assertGreater(again.usage.input_tokens, made.usage.input_tokens)


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    try:
        import openai
    except ImportError:
        try:
            python = venv("openai", "openai==3.57.0")
        except unittest.SkipTest as reason:
            print(f"skipped: {reason}")
            sys.exit(0)
        sys.exit(subprocess.run([python, __file__, RIVAL, *sys.argv[1:]]).returncode)
    unittest.main()
