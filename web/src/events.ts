// The stream of what happens to our chats. It is opened again after every break, with the last event that was heard,
// so nothing is missed; it rests while the tab is hidden.
import { signal } from "@preact/signals";
import { ApiError, request } from "./api";
import { readEvents } from "./sse";
import type { ServerEvent } from "./types";

export const connection = signal<"connecting" | "open" | "lost">("connecting");

const kSilenceMs = 40_000;  // the server says something every 15 s
const kHiddenMs = 30_000;
const kRetryMs = [300, 700, 1500, 3000, 5000];

export class EventFeed {
  private sequence: string | null = null;
  private abort: AbortController | null = null;
  private failures = 0;
  private running = false;
  private wake: (() => void) | null = null;

  constructor(private readonly take: (event: ServerEvent, sequence: number) => void) {}

  start(sequence: number): void {
    this.sequence ??= String(sequence);
    if (this.running) return;
    this.running = true;
    let hidden: ReturnType<typeof setTimeout> | undefined;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(hidden);
      if (document.hidden) hidden = setTimeout(() => this.abort?.abort(), kHiddenMs);
      else this.retry();
    });
    addEventListener("online", () => this.retry());
    void this.loop();
  }

  /** Tries at once instead of at the end of the pause. */
  retry(): void {
    this.wake?.();
  }

  private async loop(): Promise<void> {
    for (;;) {
      if (!document.hidden) await this.listen();
      if (document.hidden) await this.pause(3_600_000);
      else await this.pause(kRetryMs[Math.min(this.failures++, kRetryMs.length - 1)]);
    }
  }

  private async listen(): Promise<void> {
    const abort = (this.abort = new AbortController());
    let silence = setTimeout(() => abort.abort(), kSilenceMs);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), kSilenceMs);
    };
    try {
      const response = await request("GET", `/ui/api/events?after=${this.sequence}`, undefined, { signal: abort.signal });
      connection.value = "open";
      this.failures = 0;
      await readEvents(response, (event) => {
        if (event.id !== "") this.sequence = event.id;
        this.take(JSON.parse(event.data) as ServerEvent, Number(event.id));
      }, heard);
    } catch (error) {
      if (error instanceof ApiError && error.code === "session_needed") await this.pause(3_600_000);
    } finally {
      clearTimeout(silence);
    }
    if (!document.hidden) connection.value = "lost";
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
