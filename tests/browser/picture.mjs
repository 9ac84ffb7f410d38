// Takes the picture of the live page that the README shows: `npm run picture` writes docs/ui.png.

import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { launch } from "./support/browser.mjs";
import { playScene } from "./support/scene.mjs";
import { startServer } from "./support/server.mjs";

const PATH = fileURLToPath(new URL("../../docs/ui.png", import.meta.url));
const LARGEST = 200_000; // bytes

const server = await startServer();
const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, reducedMotion: "reduce" });
  await playScene(server.origin, async (base) => {
    await page.goto(`${base}/ui`);
    await page.locator("#connection", { hasText: "Live" }).waitFor();
  });
  await page.locator("#lanes .outcome.open").waitFor();
  await page.locator("#findings li").nth(2).waitFor();
  await page.screenshot({ path: PATH });
} finally {
  await browser.close();
  await server.stop();
}
const { size } = statSync(PATH);
if (size > LARGEST) throw new Error(`${PATH} has ${size} bytes, more than ${LARGEST}`);
