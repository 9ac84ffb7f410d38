// The page: follows the journal by one stream, and draws at most once a frame.

import { Journal, KEPT } from "./journal.js";
import { Lanes } from "./lanes.js";
import { armFaults, QUIET, showFaults, showVerdict } from "./panels.js";
import { address, pageOf, root, session } from "./place.js";
import { byId, count, element, shown } from "./text.js";

const JUDGED_EVERY = 1500; // milliseconds between two verdicts, at least
const REST = 5; // times as long as the last verdict took, the page asks for none
const LONGEST_REST = 15_000; // milliseconds
const MAX_WAITING = 10_000; // events that wait for the past
const MAX_SESSIONS = 200;

const journal = new Journal();
const lanes = new Lanes(byId("lanes"), byId("more"), byId("empty"));
let frame = 0;
let judging = 0;
let isOutdated = false; // something has changed since the verdict was asked for
let rest = 0; // before the next verdict, in milliseconds
let quietTimer = 0;
let loading = null; // events that wait for the past
let isAgain = false; // events were missed while the past was read

function draw() {
  if (frame) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    lanes.draw(journal);
    const { total, entries, calls } = journal;
    const last = entries.size < total ? `, the last ${entries.size}` : "";
    byId("counts").textContent = `${count(total, "request")}${last} in ${count(calls.size, "call")}`;
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
  isOutdated = true;
  if (!judging) judging = setTimeout(judge, rest);
}

async function judge() {
  const began = performance.now();
  isOutdated = false;
  // The state of the connection is shown by the stream.
  const [verdict, faults] = await Promise.all([json("verdict"), json("faults")]).catch(() => []);
  rest = Math.min(LONGEST_REST, Math.max(JUDGED_EVERY, REST * (performance.now() - began)));
  judging = 0;
  if (isOutdated) judgeSoon();
  if (!verdict) return;
  const quiet = performance.now() - journal.lastChange;
  const isHeldBack = showVerdict(verdict, quiet);
  clearTimeout(quietTimer);
  if (isHeldBack) quietTimer = setTimeout(judgeSoon, Math.max(0, QUIET - quiet));
  showFaults(faults);
  journal.sort(verdict.calls);
  draw();
}

/** Reads what has happened so far: of many requests, the last ones. */
async function load() {
  isAgain = loading !== null;
  if (isAgain) return;
  loading = [];
  try {
    const { requests } = await json(`${root}sessions/${encodeURIComponent(session)}`);
    const since = Math.max(0, requests - KEPT);
    const { entries } = await json(`journal?limit=${KEPT}&since=${since}`);
    journal.clear(since);
    entries.forEach((entry) => journal.put(entry));
  } catch {
    // The stream is opened again.
  }
  const waiting = loading;
  loading = null;
  waiting.forEach(put);
  if (isAgain) load();
  draw();
  judgeSoon();
}

function follow() {
  const stream = new EventSource("journal/stream");
  const receive = ({ data }) => {
    const entry = JSON.parse(data);
    if (!loading) put(entry);
    else if (loading.length < MAX_WAITING) loading.push(entry);
    else isAgain = true;
  };
  const say = (state, text) => {
    byId("connection").textContent = text;
    byId("connection").dataset.state = state;
  };
  stream.addEventListener("begun", receive);
  stream.addEventListener("ended", receive);
  stream.addEventListener("missed", load);
  stream.addEventListener("open", () => {
    say("live", "Live");
    load();
  });
  stream.addEventListener("error", () => {
    const hasEnded = stream.readyState === EventSource.CLOSED;
    if (hasEnded) say("ended", "The session has ended, or its journal is off");
    else say("lost", "Connecting again …");
  });
}

async function listSessions() {
  const { sessions } = await json(`${root}sessions?limit=${MAX_SESSIONS}`).catch(() => ({ sessions: [] }));
  const select = byId("sessions");
  const current = select.value;
  select.replaceChildren(...sessions.map(({ id }) => {
    const option = element("option", "", id);
    option.value = id;
    return option;
  }));
  select.value = current || session;
}

document.title = `${shown(session)}: test server`;
byId("session").textContent = shown(session);
byId("address").textContent = address;
byId("open-session").addEventListener("click", () => location.assign(pageOf(byId("sessions").value)));
byId("sessions").addEventListener("focus", listSessions);
armFaults(judgeSoon);
listSessions();
follow();
