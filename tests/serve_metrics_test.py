"""/metrics as Prometheus' own parser reads it."""
import concurrent.futures
import json
import subprocess
import sys
import unittest

from serve_support import Server, venv

USER = {"role": "user", "content": "Count from one to twenty."}
PARSE = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([{"name": f.name, "type": f.type, "help": f.documentation,
                   "samples": [[s.name, s.labels, s.value] for s in f.samples]} for f in text_string_to_metric_families(sys.stdin.read())]))
"""


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.python = venv("prometheus", "prometheus_client==0.22.1")
        cls.server = Server(RIVAL, "--context", "1024")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def families(self):
        status, text = self.server.call("GET", "/metrics")
        self.assertEqual(status, 200)
        run = subprocess.run([self.python, "-c", PARSE], input=text.decode(), capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        return {f["name"]: f for f in json.loads(run.stdout)}

    @staticmethod
    def value(families, name, **labels):
        family = families.get(name) or families[name.removesuffix("_total").removesuffix("_count").removesuffix("_sum").removesuffix("_bucket")]
        return sum(v for n, l, v in family["samples"] if n == name and labels.items() <= l.items())

    def families_at_rest(self):
        """A call is counted when nothing holds it any more, a moment after its client has the answer."""
        self.server.wait_until(lambda: self.value(self.families(), "rival_http_requests_active") == 1)
        return self.families()

    def test_numbers_follow_what_was_asked(self):
        chat = {"messages": [USER], "max_tokens": 16, "temperature": 0, "ignore_eos": True}
        self.server.post("/v1/chat/completions", **chat)
        before = self.families_at_rest()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: self.server.post("/v1/chat/completions", **chat)[1], range(4)))
        self.server.post("/v1/completions", prompt="Once", max_tokens=8, n=2, ignore_eos=True)
        self.server.events("/v1/chat/completions", **chat)
        self.server.post("/v1/chat/completions", messages=[])
        self.server.call("GET", "/made/up/by/a/client")
        after = self.families_at_rest()
        for family in after.values():
            self.assertTrue(family["help"], family["name"])
            self.assertIn(family["type"], ("gauge", "counter", "histogram"), family["name"])

        def grown(name, **labels):
            return self.value(after, name, **labels) - self.value(before, name, **labels)
        model = {"model": "smollm2:135m"}
        self.assertEqual(grown("rival_requests_total", **model), 6)
        self.assertEqual(grown("rival_completion_tokens_total", **model), 16 * 5 + 16)
        prompt = answers[0]["usage"]["prompt_tokens"]
        self.assertEqual(grown("rival_prompt_tokens_total", **model), prompt * 5 + 1)
        self.assertGreaterEqual(grown("rival_prefix_hits_total", **model), 5)
        self.assertGreater(grown("rival_cached_tokens_total", **model), 0)
        self.assertEqual(grown("rival_answer_seconds_count", **model), 7)
        self.assertEqual(grown("rival_queue_seconds_count", **model), 6)
        self.assertEqual(grown("rival_time_to_first_token_seconds_count", **model), 7)
        self.assertGreater(grown("rival_inter_token_seconds_count", **model), 50)
        self.assertGreater(grown("rival_inter_token_seconds_sum", **model), 0)
        route = {"route": "/v1/chat/completions", "method": "POST"}
        self.assertEqual(grown("rival_http_requests_total", **route, status="200"), 5)
        self.assertEqual(grown("rival_http_requests_total", **route, status="400"), 1)
        self.assertEqual(grown("rival_http_requests_total", route="-", status="404"), 1)
        self.assertNotIn("made/up", json.dumps(after))
        for name in ("rival_running", "rival_waiting", "rival_kv_pages_used"):
            self.assertEqual(self.value(after, name, **model), 0)
        self.assertGreater(self.value(after, "rival_kv_pages", **model), 0)
        for name, family in after.items():
            if family["type"] != "histogram":
                continue
            series = {}
            for sample, labels, value in family["samples"]:
                if sample.endswith("_bucket"):
                    series.setdefault(json.dumps({k: v for k, v in labels.items() if k != "le"}), []).append((float(labels["le"]), value))
            for buckets in series.values():
                self.assertEqual([v for _, v in buckets], sorted(v for _, v in buckets), name)
                self.assertEqual(buckets[-1][0], float("inf"))


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    unittest.main()
