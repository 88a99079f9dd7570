"""Closed-loop load on an OpenAI endpoint: streams that ask again as soon as they are answered. Used by bench/serve."""
import json
import random
import re
import selectors
import socket
import time
import urllib.parse

# ---- what is asked -----------------------------------------------------------------------------------------------

TOPICS = ["a lighthouse", "the tides", "copper", "a sailing boat", "bread", "the moon", "a water mill", "glass", "bees",
          "a compass", "salt", "the wind", "paper", "an orchard", "iron", "a bridge", "clouds", "a clock", "wool", "rivers"]
SHORT = ["What is {} for?", "Explain {} to a child.", "Name three facts about {}.", "Why does {} matter?",
         "How would you describe {} in a letter?"]
PARTS = [["The harbour office", "A visitor", "The old keeper", "Our committee", "The second report", "Every spring the crew"],
         ["counted", "described", "repaired", "measured", "sold", "carried", "forgot"],
         ["the northern boats", "a set of brass lamps", "the flood records", "seven barrels of salt", "the village maps"],
         ["before the winter of {}", "for {} days", "on page {}", "with the help of {} neighbours", "at a price of {} crowns"]]


def sentences(rng, count):
    return " ".join(" ".join([*(rng.choice(part) for part in PARTS[:3]), rng.choice(PARTS[3]).format(rng.randrange(2, 2000))])
                    + "." for _ in range(count))


SYSTEM = "You answer questions for the archive of a harbour town. What the archive knows: " + sentences(random.Random(1), 57)
KINDS = ["short", "shared", "document"]


def messages(kind, rng):
    question = {"role": "user", "content": rng.choice(SHORT).format(rng.choice(TOPICS))}
    if kind == "shared":
        return [{"role": "system", "content": SYSTEM}, question]
    if kind == "document":
        text = f"Report {rng.randrange(10**9)}. {sentences(rng, 33)}\n\nWhat is this report about?"
        return [{"role": "user", "content": text}]
    return [question]


API_PATHS = {"chat": "/chat/completions", "completions": "/completions"}


def question(api, asked):
    """The part of a body that asks; a base model gets the messages as one text."""
    if api == "chat":
        return {"messages": asked}
    return {"prompt": "\n\n".join(message["content"] for message in asked)}


# ---- the streams -------------------------------------------------------------------------------------------------


class Answer:
    def __init__(self, kind, sent):
        self.kind, self.sent = kind, sent
        self.first = self.ended = None
        self.gap = 0.0
        self.events = 0           # with text
        self.events_counted = 0   # of them in the measured time
        self.last = None
        self.tokens = self.cached = self.prompt = None  # as the server counts


class Stream:
    """One connection that asks again as soon as it is answered."""

    def __init__(self, load, number):
        self.load, self.number = load, number
        self.turn = number
        self.rng = random.Random(number)
        self.socket = None
        self.answer = None

    def connect(self):
        self.socket = socket.create_connection((self.load.host, self.load.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.load.selector.register(self.socket, selectors.EVENT_READ, self)
        self.reused = False

    def ask(self):
        if self.socket is None:
            self.connect()
        kind = KINDS[self.turn % len(KINDS)]
        self.turn += 1
        asked = messages(kind, self.rng)
        body = json.dumps({**question(self.load.api, asked), "model": self.load.model, "stream": True,
                           "stream_options": {"include_usage": True}, "max_tokens": self.rng.randint(32, 96),
                           "temperature": 0.8, "ignore_eos": True}).encode()
        head = (f"POST {self.load.path}{API_PATHS[self.load.api]} HTTP/1.1\r\nHost: {self.load.host}:{self.load.port}\r\n"
                f"Authorization: Bearer {self.load.key}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        self.answer = Answer(kind, time.monotonic())
        self.send(head + body)

    def send(self, request):
        self.request, self.text, self.raw, self.chunked, self.status = request, b"", b"", False, None
        self.socket.settimeout(30)
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def close(self):
        self.load.selector.unregister(self.socket)
        self.socket.close()
        self.socket = None

    def drop(self, why):
        self.load.errors.append(why)
        self.close()
        self.answer = None

    def closed(self, why):
        """The other side has closed the connection: after an answer it may."""
        if self.answer is None:
            return self.close()
        if self.raw or self.text or self.status or not self.reused:
            return self.drop(why)
        self.close()
        self.connect()
        self.send(self.request)

    def readable(self, now):
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError as error:
            return self.closed(str(error))
        if not data:
            return self.closed("the server closed the connection")
        self.raw += data
        if self.status is None and not self.read_head():
            return
        if self.chunked:
            ended = self.take_chunks()
        else:  # an error, with its length
            self.text, self.raw = self.text + self.raw, b""
            ended = len(self.text) >= self.length
        if self.status != 200:
            return self.drop(f"{self.status}: {self.text[:200].decode(errors='replace')}") if ended else None
        while (cut := self.text.find(b"\n\n")) >= 0:
            event, self.text = self.text[:cut], self.text[cut + 2:]
            self.take_event(event, now)
        if ended:
            self.end(now)

    def read_head(self):
        cut = self.raw.find(b"\r\n\r\n")
        if cut < 0:
            return False
        head, self.raw = self.raw[:cut].decode("latin-1"), self.raw[cut + 4:]
        self.status = int(head.split(" ", 2)[1])
        self.chunked = re.search(r"(?i)^transfer-encoding: *chunked", head, re.M) is not None
        length = re.search(r"(?i)^content-length: *(\d+)", head, re.M)
        self.length = int(length.group(1)) if length else 0
        return True

    def take_chunks(self):
        """Moves whole chunks from raw to text. True after the last."""
        while (cut := self.raw.find(b"\r\n")) >= 0:
            size = int(self.raw[:cut].split(b";")[0], 16)
            if len(self.raw) < cut + 4 + size:
                return False
            self.text += self.raw[cut + 2:cut + 2 + size]
            self.raw = self.raw[cut + 4 + size:]
            if size == 0:
                return True
        return False

    def take_event(self, event, now):
        if not event.startswith(b"data: ") or event == b"data: [DONE]":
            return
        data = json.loads(event[6:])
        answer = self.answer
        if data.get("error"):
            self.load.errors.append(str(data["error"])[:200])
        if data.get("usage"):
            answer.tokens, answer.prompt = data["usage"]["completion_tokens"], data["usage"]["prompt_tokens"]
            answer.cached = (data["usage"].get("prompt_tokens_details") or {}).get("cached_tokens")
        choice = data["choices"][0] if data.get("choices") else {}
        if not (choice.get("text") or choice.get("delta", {}).get("content")):
            return
        if answer.first is None:
            answer.first = now
        else:
            answer.gap = max(answer.gap, now - answer.last)
        answer.last = now
        answer.events += 1
        answer.events_counted += self.load.counts(now)

    def end(self, now):
        self.answer.ended = now
        self.load.answers.append(self.answer)
        self.answer, self.reused = None, True


class Load:
    """`streams` streams against one endpoint."""

    def __init__(self, url, key, model, streams, api="chat"):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port or 80
        self.path, self.key, self.model, self.api = parts.path.rstrip("/") or "/v1", key, model, api
        self.selector = selectors.DefaultSelector()
        self.streams = [Stream(self, number) for number in range(streams)]
        self.answers, self.errors = [], []

    def counts(self, now):
        return self.begin <= now < self.end

    def run(self, warmup, seconds, enough=None):
        """Figures of `seconds` after the warm-up; ends earlier with so many answers."""
        self.begin = time.monotonic() + warmup
        self.end = self.begin + seconds
        busy = time.process_time()
        retry = {}
        while (now := time.monotonic()) < self.end and (enough is None or len(self.answers) < enough):
            for stream in self.streams:
                if stream.answer is None and retry.get(stream.number, 0) <= now:
                    try:
                        stream.ask()
                    except OSError as error:
                        self.errors.append(str(error))
                        if stream.socket:
                            stream.close()
                        stream.answer = None
                        retry[stream.number] = now + 0.5
            for key, _ in self.selector.select(min(0.5, self.end - now)):
                failures = len(self.errors)
                key.data.readable(time.monotonic())
                if len(self.errors) > failures:
                    retry[key.data.number] = time.monotonic() + 0.5
        seconds = now - self.begin
        unfinished = [s.answer for s in self.streams if s.answer]
        for stream in self.streams:
            if stream.socket:
                stream.socket.close()
        return self.figures(unfinished, seconds, (time.process_time() - busy) / (warmup + seconds))

    def figures(self, unfinished, seconds, cpu):
        # A piece of text may hold several tokens: what an answer had in the measured time is its share of the pieces.
        tokens = sum((a.tokens or a.events) * a.events_counted / a.events for a in self.answers if a.events)
        tokens += sum(a.events_counted for a in unfinished)
        began = [a for a in self.answers + unfinished if a.first and self.counts(a.first)]
        ended = [a for a in self.answers if self.counts(a.ended) and a.events > 1]
        shared = [a for a in self.answers if a.kind == "shared" and self.counts(a.ended) and a.cached is not None]
        return {
            "tokens_per_s": tokens / seconds,
            "first_p50_s": quantile([a.first - a.sent for a in began], 0.5),
            "first_p95_s": quantile([a.first - a.sent for a in began], 0.95),
            "first_p95_s_by_kind": {kind: quantile([a.first - a.sent for a in began if a.kind == kind], 0.95) for kind in KINDS},
            "gap_p50_s": quantile([a.gap for a in ended], 0.5),
            "gap_p95_s": quantile([a.gap for a in ended], 0.95),
            "answers": len(ended),
            "prompt_tokens": {kind: quantile([a.prompt for a in self.answers if a.kind == kind and a.prompt], 0.5) for kind in KINDS},
            "shared_cached": sum(a.cached for a in shared) / max(1, sum(a.prompt for a in shared)) if shared else None,
            "errors": len(self.errors),
            "first_errors": self.errors[:3],
            "load_generator_cpu": cpu,
        }


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else None
