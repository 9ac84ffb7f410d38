// What clients send is shown as text, whatever it holds.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { useBrowser } from "./support/browser.mjs";
import { send } from "./support/clients.mjs";
import { startServer } from "./support/server.mjs";

const MARKUP = "<img/src=x/onerror=document.title=1><script>document.title=1</script>";
const REVERSED = "\u202Egnp.exe\u2066";

const open = useBrowser();
let server;
before(async () => { server = await startServer(); });
after(() => server.stop());

test("markup in keys, marks, paths, queries and names of rules is text", async () => {
  const rules = [{ name: MARKUP, match: { path: "/echo/*" }, fault: { status: 503 } }];
  await fetch(`${server.origin}/faults`, { method: "PUT", body: JSON.stringify({ rules }) });
  await open(`${server.origin}/ui`, {}, async (page) => {
    const elements = () => page.locator("img, script:not([src]), iframe, b, i").count();
    await send(server.origin, `/echo/&lt;b&gt;"{}?&lt;i&gt;`, { headers: { "X-Header": MARKUP } });
    await send(server.origin, "/echo", { headers: { "Idempotency-Key": MARKUP } });
    await send(server.origin, "/echo", { headers: { "X-Test-Call": MARKUP } });
    await page.locator("#lanes .lane").nth(2).waitFor();
    await page.locator("#figures", { hasText: "Requests3" }).waitFor();
    const titles = await page.locator("#lanes h3").allTextContents();
    assert.equal(titles.filter((title) => title === MARKUP).length, 2, `${titles}`);
    assert.ok(titles.includes(`GET /echo/&lt;b&gt;"{}?&lt;i&gt;`), `${titles}`);
    await page.locator("#rules", { hasText: MARKUP }).waitFor();
    assert.equal(await elements(), 0);
    assert.equal(await page.title(), "default: test server");
  });
});

test("control and bidirectional characters are shown as escapes, and every foreign text is isolated", async () => {
  const session = { id: "characters", faults: { rules: [{ name: `a${REVERSED}\u0007`, fault: { status: 503, body: 1 } }] } };
  await fetch(`${server.origin}/sessions`, { method: "POST", body: JSON.stringify(session) });
  const base = `${server.origin}/s/characters`;
  await open(`${base}/ui`, {}, async (page) => {
    const key = Buffer.from(`k${REVERSED}\u05D0`).toString("latin1");
    await send(server.origin, "/s/characters/msg", { headers: { "X-Test-Call": key } });
    await page.locator("#lanes .lane").waitFor();
    await page.locator("#rules", { hasText: "a\\u{202e}gnp.exe\\u{2066}\\u{7}" }).waitFor();
    const title = await page.locator("#lanes h3").textContent();
    assert.match(title, /^k\\u\{202e\}gnp\.exe\\u\{2066\}|^k(\\u\{[0-9a-f]+\}|[^\u0000-\u001f])+$/u);
    const shown = await page.locator("body").textContent();
    const invisible = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f]/u;
    assert.doesNotMatch(shown, invisible);
    for (const place of ["#lanes h3 > bdi", "#rules bdi"]) {
      assert.equal(await page.locator(place).first().evaluate((bdi) => getComputedStyle(bdi).unicodeBidi), "isolate");
    }
  });
});

test("a name without spaces that is very long is cut, and does not widen the page", async () => {
  const size = { width: 400, height: 800 };
  await open(`${server.origin}/ui`, { size }, async (page) => {
    await send(server.origin, `/echo/${"w".repeat(3000)}`, { headers: { "Idempotency-Key": "k".repeat(255) } });
    await page.locator("#lanes", { hasText: "kkkk" }).waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  });
});

test("the policy of the page allows neither scripts nor styles in it, nor other origins", async () => {
  const answer = await fetch(`${server.origin}/ui`);
  const policy = answer.headers.get("content-security-policy");
  assert.match(policy, /^default-src 'none'; /u);
  assert.doesNotMatch(policy, /unsafe|\*|http/u);
  await open(`${server.origin}/ui`, { tolerated: /Content Security Policy/u }, async (page) => {
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "globalThis.ran = true";
      document.body.append(script);
      return globalThis.ran === true;
    });
    assert.equal(ran, false, "a script in the page does not run");
  });
});
