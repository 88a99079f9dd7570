// Runs the tests in a real browser: RIVAL=path/to/rival node browser/run.mjs [NAME...]. One file after the other, since
// each starts a server of its own.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server } from "./support.mjs";

const kSkipped = 77;
const folder = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(folder).filter((name) => name.endsWith(".test.mjs") && (wanted.length === 0 || wanted.some((w) => name.startsWith(w))));
async function hasPage() {
  const server = await Server.start();
  const index = await (await fetch(server.url)).text();
  await server.stop();
  return index.includes("/assets/main-");
}

if (!(await hasPage())) {
  console.log("skipped: this program was built without its page");
  process.exit(kSkipped);
}
let failed = 0;
for (const file of files) failed += spawnSync(process.execPath, ["--test", join(folder, file)], { stdio: "inherit" }).status === 0 ? 0 : 1;
process.exit(failed === 0 ? 0 : 1);
