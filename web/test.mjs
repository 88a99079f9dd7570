// Bundles src/*.test.ts and runs them with Node's own test runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const source = join(root, "src");
const out = mkdtempSync(join(tmpdir(), "rival-web-test-"));
const tests = readdirSync(source).filter((name) => name.endsWith(".test.ts"));
await build({
  entryPoints: tests.map((name) => join(source, name)), outdir: out, outExtension: { ".js": ".mjs" }, bundle: true, format: "esm",
  platform: "node", target: "node18", jsx: "automatic", jsxImportSource: "preact", logLevel: "warning", sourcemap: "inline",
});
const files = readdirSync(out).filter((name) => name.endsWith(".mjs")).map((name) => join(out, name));
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit", env: { ...process.env, RIVAL_WEB_SOURCE: source } });
rmSync(out, { recursive: true, force: true });
process.exit(status ?? 1);
