// Calls to the server. Every failure is an ApiError: from the server with its code, or "offline" when there is none.
import type { Key } from "./i18n";

export class ApiError extends Error {
  constructor(readonly code: string, message: string, readonly status: number) {
    super(message);
  }
}

export const kHeaders = { "X-Rival": "1" };

/** Called when the server asks for a key. */
export const onSessionNeeded: { handler: () => void } = { handler: () => undefined };

export async function request(method: string, path: string, body?: unknown, options: { raw?: BodyInit; signal?: AbortSignal } = {}): Promise<Response> {
  const headers: Record<string, string> = method === "GET" ? {} : { ...kHeaders };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body: options.raw ?? (body === undefined ? undefined : JSON.stringify(body)), signal: options.signal });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError("offline", String(error), 0);
  }
  if (response.ok) return response;
  throw await errorOf(response);
}

async function errorOf(response: Response): Promise<ApiError> {
  let code = "http_error";
  let message = `${response.status} ${response.statusText}`;
  try {
    const body = (await response.json()) as { error?: { code?: string; type?: string; message?: string } };
    code = body.error?.code ?? body.error?.type ?? code;
    message = body.error?.message ?? message;
  } catch {
    // A body that is no JSON leaves the status line as the message.
  }
  if (code === "session_needed") onSessionNeeded.handler();
  return new ApiError(code, message, response.status);
}

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await request(method, path, body, { signal });
  return (await response.json()) as T;
}

/** The words for a failure: our own where we have some, else the server's. */
export function errorKey(error: unknown): Key | null {
  if (!(error instanceof ApiError)) return null;
  const known: Record<string, Key> = {
    offline: "error_offline", context_length_exceeded: "error_context", model_not_found: "error_model",
    rate_limit_exceeded: "error_rate", not_found: "error_not_found", pdf_needs_poppler: "error_pdf", not_text: "error_not_text", not_chats: "import_no_chats",
    session_needed: "error_session", cross_site: "error_cross_site",
  };
  return known[error.code] ?? null;
}
