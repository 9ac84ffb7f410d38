// The page in light and dark colours at two widths: nothing is cut off, and axe-core finds nothing that keeps people out.
// Pictures of it, for people to look at, are in target/screenshots.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import axe from "axe-core";

import { SCHEMES, SIZES, useBrowser } from "./support/browser.mjs";
import { playScene } from "./support/scene.mjs";
import { startServer } from "./support/server.mjs";

const DIRECTORY = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));

const open = useBrowser();
let server;
let base;
before(async () => {
  mkdirSync(DIRECTORY, { recursive: true });
  server = await startServer();
  base = await playScene(server.origin);
});
after(() => server.stop());

for (const scheme of SCHEMES) {
  for (const [name, size] of Object.entries(SIZES)) {
    test(`at ${size.width} pixels in ${scheme} colours the page fits, and axe-core finds no violation`, async () => {
      await open(`${base}/ui`, { size, scheme }, async (page) => {
        await page.locator("#findings li").first().waitFor();
        await page.screenshot({ path: `${DIRECTORY}${scheme}-${name}.png`, fullPage: true });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
        await page.locator("summary").click();
        await page.evaluate(axe.source);
        const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
        assert.deepEqual(found, []);
        const rules = passes.map(({ id }) => id);
        assert.ok(rules.includes("color-contrast") && rules.includes("label"), `axe has looked: ${rules}`);
      });
    });
  }
}
