// What the server tells and takes (docs/page-api.md). Times are milliseconds since 1970.

export interface Settings {
  model?: string;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  repetition_penalty?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  max_tokens?: number;
  seed?: number;
  stop?: string[];
  thinking?: boolean;
  tools?: Tool[];
  tool_choice?: ToolChoice;
}

/** A function that the model may call, in OpenAI's shape. */
export interface Tool {
  type: "function";
  function: { name: string; description?: string; parameters?: object };
}

export type ToolChoice = "auto" | "none" | "required";

export interface Chat {
  id: string;
  title: string;
  title_by: string;
  pinned: boolean;
  folder: string;
  system: string;
  settings: Settings;
  leaf: number | null;
  created: number;
  updated: number;
  running: number[];
}

export type MessageState = "running" | "done" | "stopped" | "length" | "context" | "interrupted" | "error";

export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

export interface Attachment {
  name: string;
  bytes?: number;
  tokens?: number;
  text?: string;
  /** In place of `text`: attachment `index` of a stored message. */
  message?: number;
  index?: number;
}

export interface Usage {
  prompt_tokens?: number;
  cached_tokens?: number;
  completion_tokens?: number;
  dropped?: number[];
}

export interface Timings {
  queue_ms?: number;
  first_token_ms?: number;
  total_ms?: number;
  tokens_per_s?: number;
}

export interface Message {
  id: number;
  chat?: string;
  parent: number | null;
  role: "user" | "assistant" | "tool";
  text: string;
  reasoning?: string;
  attachments?: Attachment[];
  tool_calls?: ToolCall[];
  tool_call_id?: string;
  group?: string | number | null;
  state?: MessageState;
  error?: string | null;
  model?: string;
  settings?: Settings;
  usage?: Usage;
  timings?: Timings;
  created?: number;
}

export interface Download {
  state: "waiting" | "running" | "done" | "error";
  done: number;
  total: number;
  message?: string;
  code?: "stopped" | "network" | "damaged" | "disk" | "denied" | "failed";
}

export interface Model {
  name: string;
  kind: "instruct" | "base" | "embedding";
  parameters: string;
  quantisation: string;
  context: number;
  bytes: number;
  memory_bytes: number;
  download_bytes: number;
  licence: { id: string; url: string; accept: boolean };
  origin: string;
  note: string;
  stored: boolean;
  served: boolean;
  loaded: boolean;
  chats: boolean;
  download?: Download;
}

export interface Delta {
  type: "delta";
  chat: string;
  message: number;
  text?: string;
  at?: number;
  reasoning?: string;
  reasoning_at?: number;
  tool_calls?: ToolCall[];
}

export type ServerEvent =
  | { type: "sync" }
  | { type: "chat"; chat: Chat }
  | { type: "deleted"; ids: string[] }
  | { type: "message"; message: Message }
  | Delta
  | ({ type: "download"; name: string } & Download)
  | { type: "imported" };

export interface TokenChoice {
  text: string;
  logprob: number;
}

export interface Token extends TokenChoice {
  top: TokenChoice[];
}

export interface Count {
  tokens: number;
  context: number;
  room: number;
  dropped: number[];
}

export interface SearchHit {
  chat: Chat;
  message: number | null;
  role: string;
  snippet: string[];
}
