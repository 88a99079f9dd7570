// What the tests with clients for Node share.
export const URL = process.env.RIVAL_URL;
export const CHAT = "smollm2:135m", EMBED = "minilm:22m";
export const USER = { role: "user", content: "What is the capital of France?" };
export const LONG = { role: "user", content: "Count from one to ten thousand, every number in words." };
export const CITY = {
  type: "object",
  properties: { city: { type: "string", enum: ["Paris", "Rome"] } },
  required: ["city"],
  additionalProperties: false,
};

// True once the server computes nothing any more.
export async function waitIdle(milliseconds = 10_000) {
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    const metrics = await (await fetch(`${URL}/metrics`)).text();
    if ([...metrics.matchAll(/^rival_running\{[^}]*\} (\S+)$/gm)].every((m) => Number(m[1]) === 0)) return true;
    await new Promise((done) => setTimeout(done, 20));
  }
  return false;
}
