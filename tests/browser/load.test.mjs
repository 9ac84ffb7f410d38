// The page stays responsive, and its memory and its elements are bounded, however much happens.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { useBrowser } from "./support/browser.mjs";
import { send, sendMany } from "./support/clients.mjs";
import { startServer } from "./support/server.mjs";

const ENTRIES = 10_000;
const EVERY = 20; // milliseconds between two requests: 50 a second
const SECONDS = 8;
const MOST_ELEMENTS = 12_000;
const MOST_GROWTH = 8 * 1024 * 1024; // of the heap, in bytes
const SLOWEST_CLICK = 3_000; // milliseconds, on a machine that does other things too
const LONGEST_FREEZE = 1_500;

const open = useBrowser();
let server;
before(async () => { server = await startServer("--journal-size", "20000"); });
after(() => server.stop());

/** Four attempts a call, the first three of which fail. */
const headersOf = (n) => ({ "X-Test-Call": `call-${Math.floor(n / 4)}`, "X-Fault": n % 4 === 3 ? "ok" : "503" });

/** What the page holds when all garbage has been collected. */
async function holds(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  const { nodes } = await devtools.send("Memory.getDOMCounters");
  await devtools.detach();
  return { heap: usedSize, nodes };
}

/** Sends 50 requests a second, and returns how long each click took meanwhile. */
async function useUnderLoad(page, seconds) {
  const clicks = [];
  let n = 0;
  const sender = setInterval(() => { n += 1; void send(server.origin, "/msg", { headers: headersOf(ENTRIES + n) }); }, EVERY);
  const until = Date.now() + 1000 * seconds;
  while (Date.now() < until) {
    const began = Date.now();
    await page.locator("summary").click();
    clicks.push(Date.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  clearInterval(sender);
  return clicks;
}

test("10,000 entries and 50 requests a second", { timeout: 120_000 }, async (t) => {
  await open(`${server.origin}/ui`, {}, async (page) => {
    await sendMany(server.origin, ENTRIES, headersOf);
    await page.locator("#counts", { hasText: `${ENTRIES} requests, the last 1000 in 2` }).waitFor();
    await page.locator("#figures", { hasText: `Requests${ENTRIES}` }).waitFor();
    const before = await holds(page);
    await page.evaluate(() => {
      let last = performance.now();
      globalThis.longestFreeze = 0;
      const frame = () => {
        globalThis.longestFreeze = Math.max(globalThis.longestFreeze, performance.now() - last);
        last = performance.now();
        requestAnimationFrame(frame);
      };
      frame();
    });
    const clicks = await useUnderLoad(page, SECONDS);
    const longestFreeze = await page.evaluate(() => globalThis.longestFreeze);
    const after = await holds(page);
    t.diagnostic(JSON.stringify({ before, after, slowestClick: Math.max(...clicks), longestFreeze }));
    assert.ok(Math.max(...clicks) < SLOWEST_CLICK, `a click took ${Math.max(...clicks)} ms`);
    assert.ok(longestFreeze < LONGEST_FREEZE, `nothing was drawn for ${longestFreeze} ms`);
    assert.ok(after.nodes < MOST_ELEMENTS, `${after.nodes} nodes`);
    assert.ok(after.heap < before.heap + MOST_GROWTH, `from ${before.heap} to ${after.heap} bytes`);
    assert.ok(await page.locator("#lanes .lane").count() <= 60, "the lanes are bounded");
  });
});

test("a page that is opened late shows the last of many requests", async () => {
  await open(`${server.origin}/ui`, {}, async (page) => {
    const { requests } = await (await fetch(`${server.origin}/sessions/default`)).json();
    assert.ok(requests > ENTRIES);
    await page.locator("#counts", { hasText: `${requests} requests, the last 1000 in` }).waitFor();
    await page.locator("#lanes", { hasText: `#${requests}` }).waitFor();
  });
});
