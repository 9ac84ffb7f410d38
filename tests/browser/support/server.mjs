// A test server that belongs to one test file.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("../../../target/debug/", import.meta.url));

/** Where the program is: in the variable, else where cargo puts it. */
export const program = (variable, name) => process.env[variable] ?? `${BUILT}${name}`;

/** Starts a server on a free port of the loopback address; `stop` ends it. */
export async function startServer(...flags) {
  const path = program("TEST_SERVER", "test-server");
  const child = spawn(path, ["serve", "--host", "127.0.0.1", "--port", "0", ...flags], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const address = await new Promise((resolve, reject) => {
    child.once("error", () => reject(new Error(`${path} cannot be started: cargo build -p test-server -p resilient-client`)));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    // The lines are read on after the first: a full pipe would stop the server.
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { address } = JSON.parse(line);
      if (address) resolve(address);
    });
  });
  const stop = () => {
    child.kill("SIGKILL");
    return ended;
  };
  return { origin: `http://${address}`, stop };
}
