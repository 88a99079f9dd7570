"""LangChain's ChatOpenAI against the server."""
import unittest
from typing import Literal

import pydantic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from support import CHAT, EMBED, URL, USER

OPTIONS = dict(base_url=URL + "/v1", api_key="none", model=CHAT, temperature=0, max_retries=0)


class City(pydantic.BaseModel):
    """A city."""
    model_config = pydantic.ConfigDict(extra="forbid")
    city: Literal["Paris", "Rome"]
    capital: bool


class LangChain(unittest.TestCase):
    def test_a_conversation(self):
        model = ChatOpenAI(**OPTIONS, max_tokens=12)
        answer = model.invoke([SystemMessage("You are brief."), HumanMessage("Hi."), AIMessage("Hello."), HumanMessage(USER["content"])])
        self.assertTrue(answer.content)
        self.assertGreater(answer.usage_metadata["input_tokens"], 0)

    def test_a_stream_says_the_same(self):
        model = ChatOpenAI(**OPTIONS, max_tokens=12)
        self.assertEqual("".join(chunk.content for chunk in model.stream(USER["content"])), model.invoke(USER["content"]).content)

    def test_structured_output(self):
        model = ChatOpenAI(**OPTIONS, max_tokens=100).with_structured_output(City, method="json_schema")
        self.assertIsInstance(model.invoke(USER["content"]), City)

    def test_tools(self):
        model = ChatOpenAI(**OPTIONS, max_tokens=100).bind_tools([City], tool_choice="City", parallel_tool_calls=False)
        call = model.invoke(USER["content"]).tool_calls[0]
        self.assertEqual(call["name"], "City")
        City(**call["args"])
        streamed = None
        for chunk in model.stream(USER["content"]):
            streamed = chunk if streamed is None else streamed + chunk
        self.assertEqual(streamed.tool_calls[0]["args"], call["args"])

    def test_embeddings(self):
        # LangChain cuts texts into tokens of OpenAI's own vocabulary unless it is told not to.
        embeddings = OpenAIEmbeddings(base_url=URL + "/v1", api_key="none", model=EMBED, check_embedding_ctx_length=False)
        self.assertEqual([len(v) for v in embeddings.embed_documents(["a cat", "tax law"])], [384, 384])


if __name__ == "__main__":
    unittest.main()
