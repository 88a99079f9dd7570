"""`rival run` through the built program and the real default model: one answer, pipes, and the chat in a terminal.

usage: run_test.py PATH-OF-RIVAL [unittest arguments]

The model is pulled into the store of RIVAL_HOME (or the user's own) once; chats go to a folder of the test.
"""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from fcntl import ioctl

RIVAL = None
MODEL = "smollm2:135m"
STORE = None  # with the model
PATIENCE_S = 90  # a sanitizer build on a busy machine is slow
STORY = "Tell me a very long story about the sea."


def pulled_store():
    subprocess.run([RIVAL, "pull", MODEL], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    path = subprocess.run([RIVAL, "show", MODEL, "--path"], check=True, capture_output=True, text=True).stdout.strip()
    return pathlib.Path(path).parents[2]


class Terminal:
    """A program on a terminal of its own, with what it has shown so far."""

    def __init__(self, arguments, env):
        self.shown = b""
        self.at = 0  # what was expected before ends here
        self.closed = False
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Before the program looks: it would wrap its lines at another width.
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
            os.execvpe(RIVAL, [RIVAL, *arguments], env)

    def type(self, text):
        os.write(self.fd, text.encode() if isinstance(text, str) else text)

    def read_some(self, wait_s):
        if not select.select([self.fd], [], [], wait_s)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other side is closed
            data = b""
        self.shown += data
        self.closed = not data
        return bool(data)

    def expect(self, pattern):
        end = time.monotonic() + PATIENCE_S
        while True:
            found = re.search(pattern.encode(), self.shown[self.at:], re.DOTALL)
            if found:
                self.at += found.end()
                return found
            if self.closed or time.monotonic() > end:
                raise AssertionError("no %r in %r" % (pattern, self.shown[self.at:]))
            self.read_some(1)

    def leave(self):
        self.type("\x04")
        return self.wait()

    def ask(self, text):
        self.type(text + "\r")
        self.expect(re.escape(text.split("\n")[-1]))

    def wait(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self.read_some(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("the program does not end; it has shown %r" % self.shown[-2000:])

    def close(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rival_run_test_"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.home = self.folder / "home"
        self.home.mkdir()
        for part in ("models", "blobs"):
            (self.home / part).symlink_to(STORE / part)
        kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "LANG", "LC_ALL", "RIVAL_ACCEPT_LICENCE")}
        self.env = kept | {"RIVAL_HOME": str(self.home), "HOME": str(self.folder), "TERM": "xterm"}

    def run_(self, *arguments, status=0, stdin=None, **env):
        pipe = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        done = subprocess.run([RIVAL, "run", *arguments], env=self.env | env, capture_output=True, timeout=PATIENCE_S, **pipe)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        done.out, done.err = done.stdout.decode(), done.stderr.decode()
        return done

    def terminal(self, *arguments, **env):
        terminal = Terminal(["run", *arguments], self.env | env)
        self.addCleanup(terminal.close)
        return terminal

    def chat(self, *arguments, **env):
        terminal = self.terminal(MODEL, "--seed", "1", *arguments, **env)
        terminal.expect(">>> ")
        return terminal

    def chats(self):
        return [json.loads(p.read_text()) for p in sorted((self.home / "chats").glob("*.json"))]


class OneAnswer(Case):
    def test_an_answer_is_plain_and_the_same_for_a_seed(self):
        flags = (MODEL, "Why is the sky blue?", "--max-tokens", "24", "--seed", "7", "--temperature", "0.8")
        first = self.run_(*flags)
        self.assertGreater(len(first.out.split()), 5)
        self.assertTrue(first.out.endswith("\n"))
        self.assertNotIn("\x1b", first.out + first.err)
        self.assertIn("cut after 24 tokens", first.err)
        self.assertEqual(self.run_(*flags).out, first.out)
        self.assertEqual(self.run_(*flags, "--threads", "1").out, first.out)
        self.assertFalse((self.home / "chats").exists(), "a single question is not kept")

    def test_the_default_model_and_a_path_need_no_more(self):
        flags = ("Say hi", "--max-tokens", "4", "--temperature", "0")
        by_name = self.run_(MODEL, *flags).out
        path = subprocess.run([RIVAL, "show", MODEL, "--path"], env=self.env, capture_output=True, text=True).stdout.strip()
        self.assertEqual(self.run_(path, *flags).out, by_name)
        self.assertEqual(self.run_("--max-tokens", "4", "--temperature", "0", stdin=b"Say hi\n").out, by_name)

    def test_words_and_pipes_are_joined(self):
        flags = ("--max-tokens", "8", "--temperature", "0")
        whole = self.run_(MODEL, "Say this:\n\ngood morning", *flags).out
        self.assertEqual(self.run_(MODEL, "Say", "this:", *flags, stdin=b"good morning\n").out, whole)
        with open(self.folder / "file", "w+b") as file:
            file.write(b"good morning\n")
            file.seek(0)
            done = subprocess.run([RIVAL, "run", MODEL, "Say this:", *flags], env=self.env, stdin=file, capture_output=True)
            self.assertEqual(done.stdout.decode(), whole)

    def test_json_stream(self):
        flags = (MODEL, "Count to five", "--max-tokens", "12", "--temperature", "0")
        events = [json.loads(line) for line in self.run_(*flags, "--json-stream").out.splitlines()]
        self.assertEqual({e["type"] for e in events[:-1]}, {"text"})
        self.assertGreater(len(events), 5, "text comes in pieces")
        self.assertEqual("".join(e["text"] for e in events[:-1]).strip(), self.run_(*flags).out.strip())
        end = events[-1]
        self.assertEqual((end["type"], end["reason"], end["model"], end["usage"]["completion_tokens"]), ("end", "length", MODEL, 12))
        self.assertGreater(end["seconds"]["first_token"], 0)

    def test_verbose_tells_rates_and_memory(self):
        error = self.run_(MODEL, "Hi", "--max-tokens", "3", "--verbose", "--memory", "20MB", "--kv", "q8").err
        for words in ("ready in", "tokens/s", "cached", "the first after", "keys and values"):
            self.assertIn(words, error)

    def test_raw_goes_on_with_the_text(self):
        self.assertRegex(self.run_(MODEL, "1, 2, 3, 4,", "--raw", "--temperature", "0", "--max-tokens", "6").out, "^ ?5")

    def test_wrong_use_says_what_to_do(self):
        for arguments, status, words in [
            ((MODEL, "x", "--temperature", "hot"), 2, "--temperature"),
            ((MODEL, "x", "--top-p", "7"), 2, "top_p"),
            ((MODEL, "x", "--no-such-flag"), 2, "--help"),
            ((MODEL, "x", "--kv", "q3"), 2, "q8"),
            ((MODEL, "x", "--memory", "much"), 2, "512MB"),
            ((MODEL,), 2, "there is no prompt"),
            (("smolm2:135m", "x"), 1, "did you mean " + MODEL),
            (("minilm", "x"), 1, "embedding model"),
            (("./no-such.gguf", "x"), 1, "no-such.gguf"),
            ((MODEL, "word " * 300, "--context", "128"), 1, "the context of 128"),
            ((MODEL, "x", "--context", "100000000"), 1, "context"),
            ((MODEL, "x", "--memory", "10"), 1, "page"),
            (("--continue",), 2, "there is no prompt"),
            (("--continue", MODEL, "x"), 1, "no chat to continue"),
        ]:
            with self.subTest(arguments=arguments):
                self.assertIn(words, self.run_(*arguments, status=status).err)

    def test_errors_are_events_too(self):
        self.assertEqual(json.loads(self.run_("smolm2:135m", "x", "--json-stream", status=1).out)["type"], "error")

    def test_bash_completes_names_flags_and_files(self):
        script = subprocess.run([RIVAL, "completion", "bash"], capture_output=True, text=True, check=True).stdout
        (self.folder / "of:mine.gguf").touch()
        path = os.pathsep.join([str(pathlib.Path(RIVAL).parent), os.environ["PATH"]])

        def completions(line):
            # Words as bash breaks them, at colons too.
            words = re.findall(r":|[^\s:]+", line) + ([""] if line.endswith(" ") else [])
            asks = ("COMP_LINE=$1 COMP_POINT=${#1}; shift; COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)); _rival; "
                    "printf '%s\\n' \"${COMPREPLY[@]}\"")
            done = subprocess.run(["bash", "--norc", "-c", script + asks, "bash", line, *words], cwd=self.folder,
                                  env=self.env | {"PATH": path}, capture_output=True, text=True, check=True)
            return done.stdout.split()

        self.assertEqual(completions("rival compl"), ["completion"])
        self.assertEqual(completions("rival run smollm2:13"), ["135m"])
        self.assertEqual(completions("rival run of"), ["of:mine.gguf"])
        self.assertEqual(completions("rival run of:m"), ["mine.gguf"])
        self.assertEqual(completions("rival completion f"), ["fish"])
        self.assertEqual(completions("rival run --temp"), ["--temperature"])

    def test_help_teaches(self):
        text = self.run_("--help").out
        for words in ("rival run ./model.gguf", "--system", "--context-policy", "Ctrl-C"):
            self.assertIn(words, text)

    def test_ctrl_c_ends_with_130(self):
        with subprocess.Popen([RIVAL, "run", MODEL, STORY, "--max-tokens", "2000"], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            process.stdout.read(10)
            process.send_signal(signal.SIGINT)
            process.stdout.read()
        self.assertEqual(process.returncode, 130)


class ChatInATerminal(Case):
    def test_a_chat(self):
        chat = self.chat("--max-tokens", "20")
        self.assertIn(b"/help", chat.shown)
        chat.ask("My name is Ada. Say hello to me.")
        chat.expect(r"\w+.*>>> ")
        chat.ask("/show")
        chat.expect("messages  2.*max-tokens +20.*>>> ")
        chat.ask("/sav")
        chat.expect("/sav is no command; /help shows them.*>>> ")
        chat.ask("/save %s/kept.json" % self.folder)
        chat.expect("Saved.*>>> ")
        chat.ask("/undo")
        chat.expect("Taken back: My name is Ada.*>>> ")
        chat.ask("/load %s/kept.json" % self.folder)
        chat.expect("2 messages.*>>> ")
        chat.ask("/bye")
        self.assertEqual(chat.wait(), 0)
        kept = json.loads((self.folder / "kept.json").read_text())
        self.assertEqual([m["role"] for m in kept["messages"]], ["user", "assistant"])
        self.assertIn("Ada", kept["messages"][0]["content"])

    def test_ctrl_c_stops_an_answer_and_then_the_chat(self):
        chat = self.chat()
        chat.ask(STORY)
        chat.expect(r"\w+ \w+ \w+ ")
        chat.type("\x03")
        chat.expect(">>> ")
        self.assertFalse(self.chats()[0]["messages"][-1]["complete"])
        chat.type("half a lin\x03")
        chat.expect("once more.*>>> ")
        chat.type("\x03")
        self.assertEqual(chat.wait(), 130)

    def test_ctrl_d_leaves(self):
        chat = self.chat()
        self.assertEqual(chat.leave(), 0)

    def test_messages_of_several_lines(self):
        chat = self.chat("--max-tokens", "2")
        for line in ('"""one', "two"):
            chat.ask(line)
            chat.expect(r"\.\.\. ")
        chat.ask('three"""')
        chat.expect(">>> ")
        chat.ask("four\\")
        chat.expect(r"\.\.\. ")
        chat.ask("five")
        chat.expect(">>> ")
        chat.type("\x1b[200~six\rseven\r\x1b[201~")
        chat.expect(r"\[paste 1: 2 lines\]")
        chat.type(" eight\r")
        chat.expect(">>> ")
        questions = [m["content"] for m in self.chats()[0]["messages"] if m["role"] == "user"]
        self.assertEqual(questions, ["one\ntwo\nthree", "four\nfive", "six\nseven\n eight"])

    def test_a_killed_chat_goes_on(self):
        chat = self.chat("--temperature", "0")
        chat.ask(STORY)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not (self.chats() and len(self.chats()[0]["messages"][-1]["content"]) > 20):
            chat.read_some(0.1)
        os.kill(chat.pid, signal.SIGKILL)
        chat.wait()
        partial = self.chats()[0]["messages"]
        self.assertEqual((partial[0]["content"], partial[1]["complete"]), (STORY, False))

        again = self.terminal("--continue", "--max-tokens", "5")
        again.expect(re.escape(STORY) + ".*cut off.*>>> ")
        again.ask("And then?")
        again.expect(">>> ")
        self.assertEqual(again.leave(), 0)
        self.assertEqual(len(self.chats()), 1, "the same chat goes on")
        self.assertEqual([m["role"] for m in self.chats()[0]["messages"]], ["user", "assistant"] * 2)
        self.run_("--continue", MODEL, "Thanks", "--max-tokens", "3")
        self.assertEqual(len(self.chats()[0]["messages"]), 6)

    def test_the_end_of_the_terminal_keeps_the_chat(self):
        chat = self.chat()
        chat.ask(STORY)
        chat.expect(r"\w+ \w+ \w+ ")
        os.kill(chat.pid, signal.SIGHUP)
        self.assertEqual(chat.wait(), 128 + signal.SIGHUP)
        self.assertGreater(len(self.chats()[0]["messages"][-1]["content"]), 3)

    def test_history(self):
        chat = self.chat("--max-tokens", "2")
        chat.ask("a question to recall")
        chat.expect(">>> ")
        chat.leave()
        chat = self.chat("--max-tokens", "2")
        chat.type("\x1b[A")
        chat.expect("a question to recall")

    def test_a_chat_that_outgrows_its_context(self):
        chat = self.chat("--context", "256", "--max-tokens", "40")
        for i in range(5):
            chat.ask("Question %d. " % i + "Please say something about the sea. " * 2)
            chat.expect("[^>]>>> ")
        self.assertEqual(chat.shown.count(b"left out"), 1)
        chat.leave()
        chat = self.chat("--context", "256", "--max-tokens", "40", "--context-policy", "stop")
        for i in range(6):
            chat.ask("Question %d. " % i + "Please say something about the sea. " * 2)
            if b"the context of 256" in chat.expect("[^>]>>> ").string:
                break
        self.assertIn(b"the context of 256", chat.shown)

    def test_escape_sequences_of_others_are_shown_not_obeyed(self):
        (self.home / "chats").mkdir()
        evil = "\x1b]0;title\x07\x1b[2J\u009b31m\u202eX"
        (self.home / "chats/a.json").write_text(json.dumps({"version": 1, "model": MODEL, "messages": [
            {"role": "user", "content": "Q" + evil}, {"role": "assistant", "content": "A" + evil, "complete": False}]}))
        chat = self.terminal("--continue")
        chat.expect(">>> .*>>> ")
        for sequence in (b"\x1b]0", b"\x1b[2J", "\u009b".encode(), "\u202e".encode(), b"\x07"):
            self.assertNotIn(sequence, chat.shown)
        self.assertIn("A␛]0;title␇".encode(), chat.shown)

    def test_plain_terminals_get_plain_text(self):
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            chat = self.terminal(MODEL, "Write **bold** and a list.", "--max-tokens", "30", **env)
            self.assertEqual(chat.wait(), 0)
            self.assertNotIn(b"\x1b", chat.shown)


if __name__ == "__main__":
    RIVAL = os.path.abspath(sys.argv.pop(1))
    STORE = pulled_store()
    unittest.main()
