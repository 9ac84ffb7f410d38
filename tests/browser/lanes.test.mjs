// Which requests share a lane, and which session a page shows.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { useBrowser } from "./support/browser.mjs";
import { send } from "./support/clients.mjs";
import { startServer } from "./support/server.mjs";

const open = useBrowser();
const servers = [];
before(async () => {
  const plain = await startServer();
  servers.push(plain, await startServer("--upstream", plain.origin));
});
after(() => Promise.all(servers.map((server) => server.stop())));

/** What each lane says: its title and how many attempts it has, the newest first. */
const lanes = (page) => page.locator("#lanes .lane").evaluateAll((lanes) =>
  lanes.map((lane) => `${lane.querySelector("h3").textContent} ${lane.querySelectorAll(".chip").length}`));

test("requests without a name share a lane after a failure alone, and by a guess", async () => {
  const { origin } = servers[0];
  await open(`${origin}/ui`, {}, async (page) => {
    for (const fault of ["ok", "ok", "503", "ok", "ok"]) await send(origin, "/msg", { headers: { "X-Fault": fault } });
    const expected = ["GET /msg 1", "GET /msg 2", "GET /msg 1", "GET /msg 1"];
    await page.locator("#lanes .lane").nth(3).waitFor();
    await page.locator("#counts", { hasText: "5 requests in 4 calls" }).waitFor();
    assert.deepEqual(await lanes(page), expected);
    await page.locator("#figures", { hasText: "Requests5" }).waitFor();
    assert.deepEqual(await lanes(page), expected, "the verdict changes nothing");
    assert.equal(await page.getByText("grouped by a guess").count(), 1);
  });
});

test("requests with one mark or one key share a lane, whatever else they are", async () => {
  const { origin } = servers[0];
  await fetch(`${origin}/sessions`, { method: "POST", body: JSON.stringify({ id: "names" }) });
  await open(`${origin}/s/names/ui`, {}, async (page) => {
    const names = [{ "X-Test-Call": "a", "X-Request-ID": "1" }, { "X-Test-Call": "a", "X-Request-ID": "2" },
      { "Idempotency-Key": '"k"' }, { "X-Request-ID": "k" }];
    for (const headers of names) await send(origin, "/s/names/msg", { headers });
    await page.locator("#counts", { hasText: "4 requests in 2 calls" }).waitFor();
    assert.deepEqual(await lanes(page), ["k 2", "a 2"]);
    await page.locator("#figures", { hasText: "Requests4" }).waitFor();
    assert.deepEqual(await lanes(page), ["k 2", "a 2"]);
  });
});

test("a page below the prefix of a server with an upstream shows its session, and finds the others", async () => {
  const { origin } = servers[1];
  await fetch(`${origin}/__test/sessions`, { method: "POST", body: JSON.stringify({ id: "prefixed" }) });
  await open(`${origin}/__test/s/prefixed/__test/ui`, {}, async (page) => {
    await page.getByRole("heading", { name: "Session prefixed" }).waitFor();
    await send(origin, "/__test/s/prefixed/msg");
    await page.locator("#counts", { hasText: "1 request in 1 call" }).waitFor();
    const sessions = page.getByLabel("Other session");
    await sessions.locator("option", { hasText: "default" }).waitFor({ state: "attached" });
    assert.equal(await sessions.inputValue(), "prefixed");
    await sessions.selectOption("default");
    await page.getByRole("button", { name: "Open" }).click();
    await page.waitForURL(/\d\/__test\/ui$/u);
    await page.getByRole("heading", { name: "Session default" }).waitFor();
  });
});
