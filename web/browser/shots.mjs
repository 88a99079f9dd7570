// Takes the pictures of docs/page.md: RIVAL=path/to/rival node browser/shots.mjs OUT. An example chat stands for what a
// larger model writes.
import { join } from "node:path";
import { Server, ask, chatOf, closeBrowser, openPage } from "./support.mjs";

const kAnswer = `Air scatters **short waves** more than long ones. This is called *Rayleigh scattering*, and it grows with the fourth power of the frequency:

$$
I \\propto \\frac{1}{\\lambda^4}
$$

| Colour | Wavelength | Scattered |
|:--|--:|--:|
| Violet | 400 nm | 9.4 × |
| Blue | 450 nm | 5.9 × |
| Red | 700 nm | 1.0 × |

\`\`\`python
def scattered(wavelength_nm: float) -> float:
    """How much more than red light."""
    return (700 / wavelength_nm) ** 4  # Rayleigh
\`\`\`

At dusk the way through the air is long, and what is left of the light is red.`;

const kDay = 86_400_000;
const kOthers = ["Bread without kneading", "A letter to Mia", "Regular expressions", "Trip to Lisbon", "Names for a cat", "Chess openings", "Moving house"];

const out = process.argv[2];
const server = await Server.start();
const chats = kOthers.map((title, i) => ({ ...chatOf(title, ["Hello", "Hello! What can I do for you?"]), folder: i > 4 ? "Home" : "", pinned: i === 0, updated: Date.now() - i * 0.7 * kDay, created: Date.now() - i * 0.7 * kDay }));
const sky = { ...chatOf("Why the sky is blue", ["Why is the sky blue, and red at dusk?", kAnswer]), updated: Date.now(), created: Date.now() };
Object.assign(sky.messages[1], { usage: { prompt_tokens: 31, completion_tokens: 232 }, timings: { queue_ms: 1, first_token_ms: 64, total_ms: 2900, tokens_per_s: 81 } });
const ids = await server.import(...chats, sky);
const path = `/chat/${ids.at(-1)}`;

async function shot(name, options, prepare = async () => undefined) {
  const page = await openPage(server, { reducedMotion: "reduce", ...options });
  await prepare(page);
  await page.waitForTimeout(900);
  await page.screenshot({ path: join(out, `${name}.png`) });
  await page.context().close();
}

const kDesk = { width: 1200, height: 760 };
const kPhone = { width: 390, height: 780 };
const drawn = (page) => page.waitForSelector(".katex").then(() => page.waitForSelector(".hljs-keyword"));
await shot("desk-light", { viewport: kDesk, colorScheme: "light", path }, drawn);
await shot("desk-dark", { viewport: kDesk, colorScheme: "dark", path }, drawn);
await shot("phone-light", { viewport: kPhone, colorScheme: "light" });
await shot("phone-dark", { viewport: kPhone, colorScheme: "dark", path }, drawn);
await shot("models", { viewport: kDesk, colorScheme: "light", path }, (page) => page.click(".model-button"));
await shot("tokens", { viewport: kDesk, colorScheme: "dark" }, async (page) => {
  await ask(page, "Name three rivers.");
  await page.click("button[aria-label='Show the tokens']");
  await page.waitForSelector(".token-text span");
  await page.hover(".token-text span:nth-child(3)");
});
await closeBrowser();
await server.stop();
