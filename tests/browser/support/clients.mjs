// Clients of the server, whose requests the page shows.

import { spawn } from "node:child_process";
import { Agent, request } from "node:http";

import { program } from "./server.mjs";

/** Runs the command `resilient` until it ends, and returns its exit code. */
export function resilient(...words) {
  const child = spawn(program("RESILIENT", "resilient"), words, {
    env: { PATH: process.env.PATH },
    stdio: "ignore",
  });
  return new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
}

/** Sends one request, and returns its status; `null` if there was no whole answer. The path is sent as it is. */
export function send(origin, path, { method = "GET", headers = {}, body = "", agent, signal } = {}) {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    const sent = request({ hostname, port, path, method, headers, agent, signal }, (answer) => {
      answer.on("error", () => resolve(null)).on("end", () => resolve(answer.statusCode)).resume();
    });
    sent.on("error", () => resolve(null)).end(body);
  });
}

/** Sends requests over a few connections, `at once` at a time, until there have been `count`. */
export async function sendMany(origin, count, headersOf, atOnce = 16) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await send(origin, "/msg", { headers: headersOf(next), agent });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  agent.destroy();
}
