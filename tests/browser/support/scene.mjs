// A session in which good and bad clients have been at work: what the pictures show.

import { resilient, send } from "./clients.mjs";

const LEAVES_AFTER = 400; // milliseconds

/** The steps that each client of the scene meets, by the key of its request. */
const RULES = [
  ["order-1841", ["503", "reset", "ok"]],
  ["order-1842", ["503", "503", "503", "503", "503", "ok"]],
  ["order-1843", [{ status: 400 }, { status: 400 }, "ok"]],
  ["order-1844", ["hang", "truncate", "ok"]],
  ["order-1845", ["lose", "ok"]],
];

/**
 * Opens the session `checkout` and runs its clients, once `opened` is done; the last request is still in flight.
 * Returns the address of the session.
 */
export async function playScene(origin, opened = async () => {}) {
  const rules = RULES.map(([key, script]) => ({ name: key, match: { key }, script }));
  const options = { id: "checkout", seed: 7, faults: { rules } };
  const created = await fetch(`${origin}/sessions`, { method: "POST", body: JSON.stringify(options) });
  const { base_url: base } = await created.json();
  await opened(base);
  const path = "/s/checkout/echo/orders";
  const post = (key, more) => send(origin, path, { method: "POST", headers: { "Idempotency-Key": key }, ...more });
  await resilient("get", `${base}/echo/orders`, "--min-wait", "0.2", "--max-attempts", "4", "--request-id", "order-1841");
  for (let attempt = 0; attempt < 6; attempt += 1) await post("order-1842", { body: "{}" });
  for (let attempt = 0; attempt < 3; attempt += 1) await post("order-1843", { body: `{"attempt":${attempt}}` });
  await post("order-1844", { signal: AbortSignal.timeout(LEAVES_AFTER) });
  await post("order-1844");
  await post("order-1844");
  await post("order-1845");
  await post("order-1845");
  void send(origin, "/s/checkout/msg?delay=20000");
  return base;
}
