"""Every setting of `rival serve` by its three names, and what is said about a wrong one."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest


def show(*arguments, environment=None, home=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("RIVAL_")}
    return subprocess.run([RIVAL, "serve", *arguments, "--show-config"], capture_output=True, text=True,
                          env={**clean, "RIVAL_HOME": home or EMPTY, **(environment or {})})


def settings(*arguments, environment=None, home=None):
    run = show(*arguments, environment=environment, home=home)
    assert run.returncode == 0, run.stderr
    return {row["flag"]: row for row in json.loads(run.stdout)}


# For each kind: a value on the command line, another in the environment and a third in the file, and one of a wrong type.
VALUES = {"a string": ("first", "second", "third", 7),
          "a string or an array of strings": ("first", "second", ["third", "fourth"], 7),
          "a whole number": ("11", "12", 13, 1.5),
          "a number": ("1.5", "2.5", 3.5, "x"),
          "true or false": (None, "true", True, "yes"),
          "a size such as \"8GB\", or bytes": ("1GB", "2GB", "3GB", True)}


class Config(unittest.TestCase):
    def write(self, content):
        path = pathlib.Path(self.folder.name, "config.json")
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_every_flag_has_three_names_and_their_order(self):
        rows = settings()
        self.assertGreater(len(rows), 20)
        for flag, row in rows.items():
            self.assertEqual(row["environment"], "RIVAL_" + flag[2:].replace("-", "_").upper())
            self.assertEqual(row["key"], flag[2:].replace("-", "_"))
            self.assertEqual(row["source"], "default")
            line, variable, entry, wrong = VALUES[row["kind"]]
            partner = {"--tls-cert": ["--tls-key", "k"], "--tls-key": ["--tls-cert", "c"]}.get(flag, [])
            given = [flag] if line is None else [flag, line]
            config = ["--config", self.write({row["key"]: entry})]
            environment = {row["environment"]: variable}
            self.assertEqual(settings(*partner, *config)[flag]["source"], "file", flag)
            self.assertEqual(settings(*partner, *config, environment=environment)[flag]["source"], "environment", flag)
            got = settings(*partner, *config, *given, environment=environment)[flag]
            self.assertEqual(got["source"], "command line", flag)
            if line is not None and flag != "--key":
                self.assertIn(got["value"], (line, [line]), flag)
            run = show(*partner, "--config", self.write({row["key"]: wrong}))
            self.assertEqual(run.returncode, 2, flag)
            for part in (row["key"] + ": ", "found ", "expected " + row["kind"]):
                self.assertIn(part, run.stderr, flag)

    def test_what_is_wrong_is_named(self):
        for content, parts in (({"prot": 1}, ["prot: is not a setting", "port"]),
                               ({"port": 99999}, ["port: found '99999'", "65535"]),
                               ({"model": [1]}, ["model: found a whole number in the array"]),
                               ({"port": None}, ["port: found null"]),
                               ({"tls_cert": "x"}, ["tls_key is missing"]),
                               ("[]", ["found an array, expected an object"]),
                               ("{", ["config.json"]),
                               ("\xff", ["config.json"]),
                               ({"key": "abc"}, ["key"])):
            run = show("--config", self.write(content))
            self.assertNotEqual(run.returncode, 0, content)
            for part in parts:
                self.assertIn(part, run.stderr)
        run = show(environment={"RIVAL_PORT": "many"})
        self.assertEqual(run.returncode, 2)
        self.assertIn("RIVAL_PORT: found 'many', expected a whole number", run.stderr)
        self.assertEqual(show("--config", "/nowhere.json").returncode, 1)
        self.assertEqual(show("--nothing").returncode, 2)

    def test_serve_json_in_the_home_is_read_and_secrets_are_not_shown(self):
        pathlib.Path(self.folder.name, "serve.json").write_text(json.dumps({"port": 4321, "key": ["very-secret"], "model": ["a", "b"]}))
        run = show(home=self.folder.name)
        self.assertNotIn("very-secret", run.stdout)
        rows = {row["flag"]: row for row in json.loads(run.stdout)}
        self.assertEqual((rows["--port"]["value"], rows["--port"]["source"]), ("4321", "file"))
        self.assertEqual(rows["--model"]["value"], ["a", "b"])
        other = self.write({"port": 1})
        self.assertEqual(settings(home=self.folder.name, environment={"RIVAL_CONFIG": other})["--port"]["value"], "1")
        self.assertEqual(settings("--config", other, home=self.folder.name)["--model"]["source"], "default")


if __name__ == "__main__":
    RIVAL = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as EMPTY:
        unittest.main()
