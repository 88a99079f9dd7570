// Server-sent events as they arrive in pieces: WHATWG HTML, 9.2.6. Lines end with CR, LF or both.

export interface SseEvent {
  id: string;
  type: string;
  data: string;
}

export class SseParser {
  private rest = "";
  private data: string[] = [];
  private type = "";
  private id = "";
  private afterCr = false;

  /** The events that `chunk` completes. */
  push(chunk: string): SseEvent[] {
    const events: SseEvent[] = [];
    if (this.afterCr && chunk.startsWith("\n")) chunk = chunk.slice(1);
    if (chunk !== "") this.afterCr = chunk.endsWith("\r");
    const lines = (this.rest + chunk).split(/\r\n|\r|\n/);
    this.rest = lines.pop()!;
    for (const line of lines) this.line(line, events);
    return events;
  }

  private line(line: string, events: SseEvent[]): void {
    if (line === "") return this.dispatch(events);
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.type = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
  }

  private dispatch(events: SseEvent[]): void {
    if (this.data.length > 0) events.push({ id: this.id, type: this.type || "message", data: this.data.join("\n") });
    this.data = [];
    this.type = "";
  }
}

/** Reads a response's events until it ends; throws what the connection throws. */
export async function readEvents(response: Response, take: (event: SseEvent) => void, heard?: () => void): Promise<void> {
  const parser = new SseParser();
  const decoder = new TextDecoder();
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard?.();
    for (const event of parser.push(decoder.decode(value, { stream: true }))) take(event);
  }
}
