// A hub to fetch models from, as Hugging Face's looks to a client: it announces a file's hash and size and sends the
// client on to where the bytes lie. How it misbehaves is set per file.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const kCommit = "0123456789abcdef0123456789abcdef01234567";

export class Hub {
  files = new Map();  // path -> {data, stallFrom?, damaged?, announced?}
  ranges = [];        // of the requests for bytes

  static async start() {
    const hub = new Hub();
    hub.server = createServer((request, response) => void hub.answer(request, response));
    await new Promise((resolve) => hub.server.listen(0, "127.0.0.1", resolve));
    hub.url = `http://127.0.0.1:${hub.server.address().port}`;
    return hub;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async answer(request, response) {
    const [, owner, name, kind, , ...rest] = new URL(request.url, this.url).pathname.split("/");
    const file = this.files.get(`${owner}/${name}/${rest.join("/")}`);
    if (!file) return response.writeHead(404).end();
    if (kind === "bytes") return this.send(file, request, response);
    const size = file.announced ?? file.data.length;
    response.writeHead(302, { "X-Repo-Commit": kCommit, "X-Linked-Etag": `"${createHash("sha256").update(file.data).digest("hex")}"`, "X-Linked-Size": size,
      Location: `http://localhost:${this.server.address().port}/${owner}/${name}/bytes/main/${rest.join("/")}`, "Content-Length": 0 }).end();
  }

  async send(file, request, response) {
    const { range } = request.headers;
    this.ranges.push(range ?? "");
    const begin = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    const total = file.announced ?? file.data.length;
    const etag = { ETag: `"${total}"`, "Content-Length": total - begin };
    response.writeHead(range ? 206 : 200, range ? { ...etag, "Content-Range": `bytes ${begin}-${total - 1}/${total}` } : etag);
    if (request.method === "HEAD") return response.end();
    const data = file.damaged ? Buffer.concat([Buffer.from([file.data[0] ^ 1]), file.data.subarray(1)]) : file.data;
    for (let at = begin; at < data.length && !response.destroyed; at += 1 << 20) {
      while (at >= (file.stallFrom ?? Infinity) && !response.destroyed) await new Promise((resolve) => setTimeout(resolve, 50));
      response.write(data.subarray(at, at + (1 << 20)));
      if (file.stallFrom) await new Promise((resolve) => setTimeout(resolve, 50));  // or nobody would be told of it
    }
    if (!file.announced) response.end();
  }
}

/** A row of the catalogue for the file `owner/name/path` of a hub. */
export const row = (name, path, bytes, more = {}) => ({
  name, kind: "instruct", parameters: "135M", quantisation: "Q4_1", licence: { id: "Strict", url: "https://example.org/licence", accept: true },
  origin: "Example", context: 2048, note: "", files: [{ from: [`hf:${path}`], bytes }], ...more });
