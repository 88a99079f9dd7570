#!/usr/bin/env python3
"""Writes src/text/golden/template_*.json: what Python's jinja2 makes of templates, with transformers' settings.

    pip install jinja2==3.1.6
    tools/golden_templates.py                                  # writes the golden files
    tools/golden_templates.py --check build/rival FILE.jinja…   # random chats through both, for any template

The environment is that of transformers (utils/chat_template_utils.py, 5.24). Chats, expressions and statements
come from template_cases.py; a case that raises is kept as null.
"""
import argparse
import copy
import datetime
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time

import jinja2
import jinja2.ext
import jinja2.sandbox

import template_cases as cases

os.environ["TZ"] = "UTC"
time.tzset()

NOW = 1750000000
GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "src/text/golden"
CHATS = 40
EXPRESSIONS = 1500


class AssistantTracker(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_generation_support")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    @jinja2.pass_eval_context
    def _generation_support(self, context, caller):
        return caller()


class TemplateDict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)


class TemplateNamespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attributes = dict(*args, **kwargs)
        for name in attributes:
            TemplateNamespace.check(name)
        jinja2.utils.Namespace.__init__(self, attributes)

    def __setitem__(self, name, value):
        TemplateNamespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment(now):
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[AssistantTracker, jinja2.ext.loopcontrols])
    made.filters["tojson"] = tojson
    made.globals |= {"raise_exception": raise_exception, "dict": TemplateDict(), "namespace": TemplateNamespace,
                     "strftime_now": lambda form: now().strftime(form)}
    return made


def render(env, source, variables):
    """The result, or None where jinja2 raises."""
    try:
        return env.from_string(source).render(**copy.deepcopy(variables))
    except Exception:  # whatever a template raises, Python's own errors included
        return None


def write(name, content):
    path = GOLDEN / name
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def write_goldens():
    env = environment(lambda: datetime.datetime.fromtimestamp(NOW))
    chats = []
    for path in sorted((GOLDEN / "templates").glob("*.jinja")):
        source = path.read_text()
        for seed in range(CHATS):
            variables = cases.variables(random.Random(f"{path.name} {seed}"))
            output = render(env, source, variables)
            if output is not None or seed % 4 == 0:  # refusals are many and short
                chats.append({"template": path.name, "variables": variables, "output": output})
    half = len(chats) // 2
    write("template_chats_a.json", {"now": NOW, "cases": chats[:half]})
    write("template_chats_b.json", {"now": NOW, "cases": chats[half:]})

    sources = [f"{{{{ {text} }}}}" for text in cases.METHODS]
    sources += [f"{{{{ {name}|{text} }}}}" for text in cases.FILTERS for name in ("s", "u", "l", "ld", "d", "f", "undef")]
    sources += [f"{{{{ {name} is {text} }}}}" for text in cases.TESTS for name in ("s", "n", "l", "no", "undef")]
    for seed in range(EXPRESSIONS):
        r = random.Random(f"expression {seed}")
        sources.append(f"{{{{ {cases.expression(r, r.randrange(1, 4))} }}}}")
    sources += cases.STATEMENTS
    results = [[source, render(env, source, cases.EXPRESSION_VARIABLES)] for source in sources]
    results = [case for case in results if " at 0x" not in (case[1] or "")]
    write("template_expressions.json", {"now": NOW, "variables": cases.EXPRESSION_VARIABLES, "cases": results})


def rival(binary, path, variables, folder):
    """What `rival inspect template` prints, or None where it exits with an error."""
    command = [binary, "inspect", "template", str(path)]
    for name, value in variables.items():
        if name in ("messages", "tools") and value is not None:
            (folder / name).write_text(json.dumps(value))
            command += [f"--{name}", str(folder / name)]
        elif name in ("bos_token", "eos_token"):
            command += [f"--{name[:3]}", value]
        elif name == "add_generation_prompt":
            command += ["--add-generation-prompt"] if value else []
        elif name not in ("tools", "documents") or value is not None:
            command += ["--set", f"{name}={json.dumps(value)}"]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.decode() if done.returncode == 0 else None


def check(binary, paths, count):
    env = environment(datetime.datetime.now)
    wrong = raised = 0
    with tempfile.TemporaryDirectory() as name:
        for path in paths:
            source = path.open(newline="", encoding="utf-8").read()
            for seed in range(count):
                variables = cases.variables(random.Random(f"{path.name} {seed}"))
                expected = render(env, source, variables)
                raised += expected is None
                if rival(binary, path, variables, pathlib.Path(name)) != expected:
                    wrong += 1
                    print(f"{path} differs for seed {seed}")
    print(f"{len(paths) * count} chats, {raised} of them refused by jinja2: {wrong} differ")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="RIVAL", help="compare this program with jinja2 instead")
    parser.add_argument("--count", type=int, default=50, help="chats a template")
    parser.add_argument("templates", nargs="*", type=pathlib.Path)
    flags = parser.parse_args()
    if flags.check is None:
        return write_goldens()
    return check(flags.check, flags.templates, flags.count)


if __name__ == "__main__":
    raise SystemExit(main())
