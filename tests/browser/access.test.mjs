// The page is usable by keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { SIZES, useBrowser } from "./support/browser.mjs";
import { playScene } from "./support/scene.mjs";
import { startServer } from "./support/server.mjs";

const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex='0']";

const open = useBrowser();
let server;
let base;
before(async () => {
  server = await startServer();
  base = await playScene(server.origin);
});
after(() => server.stop());

test("the tabulator key reaches every control, and each has a name and shows that it has the focus", async () => {
  await open(`${base}/ui`, { size: SIZES.narrow }, async (page) => {
    await page.locator("#findings li").first().waitFor();
    await page.locator("details").evaluate((details) => { details.open = true; });
    const controls = await page.evaluate((controls) => {
      const all = [...document.querySelectorAll(controls)].filter((control) => control.checkVisibility());
      all.forEach((control, index) => { control.dataset.control = index; });
      return all.map((control) => control.outerHTML);
    }, CONTROLS);
    assert.ok(controls.length > 20, `${controls.length} controls`);
    const reached = new Map();
    for (let press = 0; press < controls.length; press += 1) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const { dataset, innerText, labels, ariaLabel } = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        const name = innerText || labels?.[0]?.innerText || ariaLabel;
        return { control: dataset.control, name, outline: `${outlineStyle} ${outlineWidth}` };
      });
      reached.set(focus.control, focus);
    }
    const missing = controls.filter((_, index) => !reached.has(String(index)));
    assert.deepEqual(missing, [], "not reached by the tabulator key");
    for (const { name, outline } of reached.values()) {
      assert.ok(name?.trim(), "each control has a name");
      assert.equal(outline, "solid 3px", name);
    }
  });
});

test("the keyboard alone arms a script and opens another session", async () => {
  await open(`${server.origin}/ui`, {}, async (page) => {
    const script = page.getByRole("button", { name: "Three 503" });
    while (!(await script.evaluate((button) => button === document.activeElement))) {
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await page.getByText("Script 503,503,503,ok: done").waitFor();
    await page.reload();
    const sessions = page.getByLabel("Other session");
    await sessions.locator("option", { hasText: "checkout" }).waitFor({ state: "attached" });
    while (!(await sessions.evaluate((select) => select === document.activeElement))) {
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("c");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/s\/checkout\/ui$/u);
    await page.getByRole("heading", { name: "Session checkout" }).waitFor();
  });
});
