// A user arms faults by clicking, runs a client, and reads from the page what it did.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { useBrowser } from "./support/browser.mjs";
import { resilient, send } from "./support/clients.mjs";
import { startServer } from "./support/server.mjs";

const open = useBrowser();
let server;
before(async () => { server = await startServer(); });
after(() => server.stop());

async function session(options) {
  const answer = await fetch(`${server.origin}/sessions`, { method: "POST", body: JSON.stringify(options) });
  assert.equal(answer.status, 201);
  return (await answer.json()).base_url;
}

test("a script armed by a click is met by a client, whose lane shows each attempt and each wait", async () => {
  const base = await session({ id: "retries" });
  await open(`${base}/ui`, {}, async (page) => {
    await page.getByRole("button", { name: "503, reset, 200" }).click();
    await page.getByText("Script 503,reset,ok: done").waitFor();
    assert.equal(await resilient("get", `${base}/msg`, "--min-wait", "0.3"), 0);
    const lane = page.locator("#lanes .lane");
    await lane.locator(".outcome.ok").waitFor();
    assert.equal(await lane.count(), 1);
    assert.match(await lane.locator(".facts").first().textContent(), /^succeeded · 3 attempts, \d/u);
    assert.equal(await lane.locator(".bar").count(), 3);
    const words = await lane.locator(".chip").allTextContents();
    assert.match(words[0], /^503 .*ms #1$/u);
    assert.match(words[1], /^reset .*ms #2$/u);
    assert.match(words[2], /^200 .*ms #3$/u);
    const waits = await lane.locator(".attempts .wait").allTextContents();
    assert.equal(waits.length, 2);
    for (const wait of waits) assert.match(wait, /^waited \d+(\.\d)?\sm?s$/u);
    await page.locator("#verdict", { hasText: "pass" }).waitFor();
    await page.locator("#rules", { hasText: "matched 3, injected 2" }).waitFor();
  });
});

test("a client that does not wait between its attempts is found out beside its lane", async () => {
  const base = await session({ id: "hasty" });
  await open(`${base}/ui`, {}, async (page) => {
    await page.getByLabel("Script", { exact: true }).fill("503,503,503,503,ok");
    await page.getByRole("button", { name: "Arm script" }).click();
    await page.getByText("Script 503,503,503,503,ok: done").waitFor();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await send(base, "/s/hasty/msg", { headers: { "X-Test-Call": "hasty" } });
    }
    const finding = page.locator("#findings li", { hasText: "no-backoff" });
    await finding.waitFor();
    assert.match(await finding.textContent(), /requests #1, #2/u);
    const link = await finding.getByRole("link").getAttribute("href");
    assert.equal(link, "findings#no-backoff");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "JSON" }).click();
    assert.equal((await download).suggestedFilename(), "verdict.json");
    await page.getByRole("button", { name: "Reset session" }).click();
    await page.getByText("Reset: done").waitFor();
    await page.getByText("No request yet").waitFor();
    assert.equal(await page.locator("#lanes .lane").count(), 0);
  });
});

test("a finding that a client does not retry waits until the client has been quiet", { timeout: 60_000 }, async () => {
  const base = await session({ id: "once" });
  await open(`${base}/ui`, {}, async (page) => {
    await page.clock.install();
    await page.reload();
    await page.locator("#connection", { hasText: "Live" }).waitFor();
    await page.getByRole("button", { name: "One 503" }).click();
    await page.getByText("Script 503,ok: done").waitFor();
    await send(base, "/s/once/msg");
    await page.locator("#lanes .lane").waitFor();
    await page.clock.runFor(30_000);
    await page.locator("#figures", { hasText: "Requests1" }).waitFor();
    assert.equal(await page.locator("#findings li").count(), 0);
    const finding = page.locator("#findings li", { hasText: "no-retry" });
    while (await finding.count() === 0) await page.clock.runFor(10_000);
  });
});

test("an invalid script is answered beside the form, and changes nothing", async () => {
  const base = await session({ id: "invalid" });
  await open(`${base}/ui`, { tolerated: /422/u }, async (page) => {
    await page.getByLabel("Script", { exact: true }).fill("503,<b>");
    await page.getByRole("button", { name: "Arm script" }).click();
    await page.locator("#done", { hasText: "path.script" }).waitFor();
    assert.equal(await page.locator("#done b").count(), 0);
    await page.getByText("No fault is armed.").waitFor();
  });
});

test("a request that ends while a verdict is asked for is judged by the next one", async () => {
  const base = await session({ id: "meanwhile" });
  await open(`${base}/ui`, {}, async (page) => {
    await page.locator("#verdict", { hasText: "none yet" }).waitFor();
    let answerNow;
    const held = new Promise((resolve) => { answerNow = resolve; });
    const asked = new Promise((resolve) => {
      void page.route("**/verdict", async (route) => {
        const answer = await route.fetch();
        resolve();
        await held;
        await route.fulfill({ response: answer });
      }, { times: 1 });
    });
    await send(base, "/s/meanwhile/msg");
    await asked;
    await send(base, "/s/meanwhile/msg");
    await page.locator("#counts", { hasText: "2 requests in 2 calls" }).waitFor();
    answerNow();
    await page.locator("#figures", { hasText: "Requests2" }).waitFor();
  });
});
