// Headless Chromium, and pages that are watched: what they ask for, and what they complain of.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

// The browser speaks to the server of the test alone: no name can be resolved, and nothing of its own is asked for.
const ARGUMENTS = [
  "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** How wide the page is on a desk and on a phone. */
export const SIZES = { wide: { width: 1280, height: 900 }, narrow: { width: 400, height: 860 } };
export const SCHEMES = ["light", "dark"];

/** Starts a browser, with a new user data directory. */
export function launch() {
  const executablePath = process.env.CHROMIUM ?? PATHS.find((path) => existsSync(path));
  assert.ok(executablePath, `no browser: install chromium, or set CHROMIUM; looked for ${PATHS.join(", ")}`);
  return chromium.launch({ executablePath, args: ARGUMENTS, chromiumSandbox: false });
}

/** Starts a browser for the tests of a file; the result opens pages in it. */
export function useBrowser() {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser?.close());
  return (url, options, act) => withPage(browser, url, options, act);
}

/** Opens a page, lets `act` use it, and checks that it asked only its own origin and had nothing to complain of. */
async function withPage(browser, url, { size = SIZES.wide, scheme = "light", tolerated = /^$/u }, act) {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, reducedMotion: "reduce" });
  const asked = [];
  const complaints = [];
  context.on("request", (request) => asked.push(request.url()));
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !tolerated.test(message.text())) complaints.push(message.text());
  });
  try {
    await page.goto(url);
    await page.locator("#connection", { hasText: "Live" }).waitFor();
    await act(page);
  } finally {
    await context.close();
  }
  const elsewhere = asked.filter((asked) => new URL(asked).origin !== new URL(url).origin && asked !== "data:,");
  assert.deepEqual(elsewhere, [], "no request leaves the origin");
  assert.deepEqual(complaints, [], "neither an error nor a broken policy");
}
