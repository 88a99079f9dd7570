// Builds the page: node build.mjs OUT (web/dist by default) writes OUT/index.html and OUT/assets/NAME-HASH.EXT, and
// beside each file that is text its gzip. Nothing is fetched.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(root, "dist"));
const assets = join(out, "assets");
const kText = new Set([".js", ".css", ".svg", ".html", ".webmanifest"]);
const kFirstPageMax = 100_000;

function write(path, content) {
  writeFileSync(path, content);
  if (kText.has(extname(path))) writeFileSync(path + ".gz", gzipSync(content, { level: 9 }));
}

function writeHashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const hashed = `${basename(name, extname(name))}-${hash}${extname(name)}`;
  write(join(assets, hashed), content);
  return `/assets/${hashed}`;
}

// Bundles `entries`; returns what became of each: name -> address.
async function bundle(entries, options = {}) {
  const result = await build({
    entryPoints: entries.map((e) => join(root, e)), outdir: assets, bundle: true, write: false, minify: true, metafile: true,
    format: "esm", target: ["chrome111", "firefox113", "safari16.4"], entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]", publicPath: "/assets", jsx: "automatic", jsxImportSource: "preact", legalComments: "none",
    loader: { ".woff2": "file", ".woff": "empty", ".ttf": "empty" }, absWorkingDir: root, ...options,
  });
  const addresses = {};
  for (const file of result.outputFiles) write(file.path, file.contents);
  for (const [path, { entryPoint }] of Object.entries(result.metafile.outputs)) {
    if (entryPoint) addresses[basename(entryPoint, extname(entryPoint)) + extname(path)] = `/assets/${basename(path)}`;
    else if (extname(path) === ".css") addresses["main.css"] = `/assets/${basename(path)}`;
  }
  return addresses;
}

rmSync(out, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });
const katex = (await bundle(["node_modules/katex/dist/katex.css"]))["katex.css"];
const worker = (await bundle(["src/highlight_worker.ts"], { format: "iife" }))["highlight_worker.js"];
const theme = await bundle(["src/theme.ts"], { format: "iife" });
const page = await bundle(["src/main.tsx"], {
  splitting: true, define: { KATEX_CSS: JSON.stringify(katex), HIGHLIGHT_WORKER: JSON.stringify(worker) },
});
const mark = writeHashed("mark.svg", readFileSync(join(root, "src/mark.svg")));
const manifest = writeHashed("rival.webmanifest", JSON.stringify({
  name: "Rival", short_name: "Rival", start_url: "/", display: "standalone", background_color: "#fbfaf7", theme_color: "#fbfaf7",
  icons: [{ src: mark, sizes: "any", type: "image/svg+xml" }],
}));
const names = { ...page, ...theme, "mark.svg": mark, "rival.webmanifest": manifest };
const html = readFileSync(join(root, "src/index.html"), "utf8").replace(/\{\{([^}]+)\}\}/g, (_, name) => {
  if (!names[name]) throw new Error(`index.html names ${name}, which was not built`);
  return names[name];
});
write(join(out, "index.html"), html);

// What the first page loads: everything that index.html names, and what main.js imports at once.
const first = [html, ...[page["main.js"], page["main.css"], theme["theme.js"], mark, manifest].map((a) => readFileSync(join(out, a)))];
const size = first.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
console.log(`first page: ${size} bytes gzip`);
if (size > kFirstPageMax) throw new Error(`the first page has ${size} bytes; at most ${kFirstPageMax} are allowed`);
