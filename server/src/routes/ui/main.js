// The page: follows the journal by one stream, and draws at most once a frame.

import { Journal } from "./journal.js";
import { Lanes } from "./lanes.js";
import { armFaults, QUIET, showFaults, showVerdict } from "./panels.js";
import { byId, element, shown } from "./text.js";

const PAGE = 10_000; // entries a request to the journal
const MAX_PAGES = 5;
const JUDGED_EVERY = 1500; // milliseconds between two verdicts, at least
const MAX_SESSIONS = 200;

const journal = new Journal();
const lanes = new Lanes(byId("lanes"), byId("more"), byId("empty"));
const within = location.pathname.match(/^(.*)\/s\/([^/]+)\/ui$/u);
const root = within ? "../../" : "";
let frame = 0;
let judging = 0;
let quietTimer = 0;
let loading = null; // events that wait for the past

function draw() {
  if (frame) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    lanes.draw(journal);
    byId("counts").textContent = `${journal.total} requests, ${journal.calls.size} calls`;
  });
}

function put(entry) {
  journal.put(entry);
  draw();
  if (entry.ended !== null) judgeSoon();
}

async function json(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function judgeSoon() {
  if (!judging) judging = setTimeout(judge, JUDGED_EVERY);
}

async function judge() {
  try {
    const verdict = await json("verdict");
    journal.sort(verdict.calls);
    const quiet = performance.now() - journal.lastChange;
    const isHeldBack = showVerdict(verdict, quiet);
    clearTimeout(quietTimer);
    if (isHeldBack) quietTimer = setTimeout(judgeSoon, Math.max(0, QUIET - quiet));
    showFaults(await json("faults"));
    draw();
  } catch {
    // The state of the connection is shown by the stream.
  } finally {
    judging = 0;
  }
}

async function load() {
  loading = [];
  journal.clear();
  try {
    let since = 0;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { entries, next } = await json(`journal?limit=${PAGE}&since=${since}`);
      entries.forEach((entry) => journal.put(entry));
      since = next;
      if (entries.length < PAGE) break;
    }
  } catch {
    // The stream is opened again.
  }
  const waiting = loading;
  loading = null;
  waiting.forEach(put);
  journal.lastChange = performance.now();
  draw();
  judgeSoon();
}

function follow() {
  const state = byId("connection");
  const stream = new EventSource("journal/stream");
  const receive = ({ data }) => {
    const entry = JSON.parse(data);
    if (!loading) put(entry);
    else if (loading.length < PAGE) loading.push(entry);
  };
  stream.addEventListener("begun", receive);
  stream.addEventListener("ended", receive);
  stream.addEventListener("missed", () => load());
  stream.addEventListener("open", () => {
    state.textContent = "Live";
    load();
  });
  stream.addEventListener("error", () => {
    const hasEnded = stream.readyState === EventSource.CLOSED;
    state.textContent = hasEnded ? "The session has ended, or its journal is off" : "Connecting again …";
  });
}

async function listSessions() {
  const { sessions } = await json(`${root}sessions?limit=${MAX_SESSIONS}`).catch(() => ({ sessions: [] }));
  const select = byId("sessions");
  const current = select.value;
  select.replaceChildren(...sessions.map(({ id, requests }) => {
    const option = element("option", "", `${id} (${requests} requests)`);
    option.value = id;
    return option;
  }));
  select.value = current || (within ? decodeURIComponent(within[2]) : "default");
}

byId("session").textContent = within ? shown(decodeURIComponent(within[2])) : "default";
byId("address").textContent = location.href.replace(/\/ui([?#].*)?$/u, "/msg");
byId("open-session").addEventListener("click", () => {
  const id = byId("sessions").value;
  location.assign(id === "default" ? `${root}ui` : `${root}s/${encodeURIComponent(id)}/ui`);
});
byId("sessions").addEventListener("focus", listSessions);
armFaults(judgeSoon);
listSessions();
follow();
