// The lanes: one for each call, its attempts as bars in time, and in words below.

import { count, duration, element, foreign } from "./text.js";

/** How many lanes and how many attempts of a lane are drawn. */
const LANES = 60;
const ATTEMPTS = 40;

export class Lanes {
  constructor(list, more, empty) {
    this.list = list;
    this.more = more;
    this.empty = empty;
    this.drawn = new Map();
  }

  /** Draws what has changed. */
  draw(journal) {
    const newest = [...journal.calls.values()].map((call) => [lastId(call), call]).sort(([a], [b]) => b - a);
    const wanted = newest.slice(0, LANES).map(([, call]) => call);
    const names = new Set(wanted.map((call) => call.name));
    for (const [name, lane] of this.drawn) {
      if (names.has(name)) continue;
      lane.remove();
      this.drawn.delete(name);
    }
    wanted.forEach((call, index) => {
      let lane = this.drawn.get(call.name);
      if (!lane || journal.dirty.has(call.name)) {
        lane = lane ?? element("li", "lane");
        lane.replaceChildren(...content(call));
        this.drawn.set(call.name, lane);
      }
      if (this.list.children[index] !== lane) this.list.insertBefore(lane, this.list.children[index] ?? null);
    });
    journal.dirty.clear();
    this.empty.hidden = newest.length > 0;
    const hidden = newest.length - wanted.length;
    this.more.textContent = hidden > 0 ? `${hidden} older calls are not drawn.` : "";
  }
}

/** How an attempt ended: its class, and in words. */
function ending(entry) {
  if (entry.ended === null) return ["open", "in flight"];
  if (entry.ended === "answered") return [classOf(entry.status), `${entry.status}`];
  if (entry.ended === "client_left") return ["left", "client left"];
  if (entry.ended === "timed_out") return ["failed", `${entry.status ?? ""} timed out`.trim()];
  return ["broken", entry.fault?.short ?? entry.ended];
}

function classOf(status) {
  if (status >= 200 && status < 300) return "ok";
  return status >= 500 || status === 429 || status === 408 || status === 425 ? "failed" : "refused";
}

function lastId(call) {
  let last = 0;
  for (const id of call.entries.keys()) last = Math.max(last, id);
  return last;
}

const endOf = (entry) => entry.at_ms + (entry.duration_ms ?? 0);

const lastEnd = (entries) => entries.reduce((last, entry) => Math.max(last, endOf(entry)), 0);

function content(call) {
  const all = [...call.entries.values()].sort((a, b) => a.at_ms - b.at_ms);
  const attempts = all.slice(-ATTEMPTS);
  const shape = element("div", "shape", track(attempts), words(attempts, all.length - attempts.length));
  return [head(call, all), shape];
}

function head(call, all) {
  const first = all[0];
  const target = `${first.method} ${first.path}`;
  const time = lastEnd(all) - first.at_ms;
  const facts = element("p", "facts", outcome(all), ` · ${count(all.length, "attempt")}`);
  if (time > 0) facts.append(`, ${duration(time)}`);
  if (call.isGuess && all.length > 1) facts.append(" · grouped by a guess");
  const made = element("div", "head", element("h3", "", foreign(call.label)), facts);
  if (call.label.split("?")[0] !== target) made.append(element("p", "facts", foreign(target)));
  return made;
}

function outcome(all) {
  const [kind] = ending(all[all.length - 1]);
  const hasSucceeded = all.some((entry) => ending(entry)[0] === "ok");
  if (kind === "open") return element("span", "outcome open", "in flight");
  return hasSucceeded ? element("span", "outcome ok", "succeeded") : element("span", `outcome ${kind}`, "failed");
}

function track(attempts) {
  const bars = element("div", "track");
  bars.setAttribute("aria-hidden", "true");
  const from = attempts[0].at_ms;
  const span = lastEnd(attempts) - from || 1;
  for (const attempt of attempts) {
    const [kind] = ending(attempt);
    const bar = element("div", `bar ${kind}`);
    bar.style.left = `${(100 * (attempt.at_ms - from)) / span}%`;
    bar.style.width = attempt.ended === null ? "auto" : `${(100 * attempt.duration_ms) / span}%`;
    bars.append(bar);
  }
  return bars;
}

function words(attempts, earlier) {
  const list = element("ol", "attempts");
  list.setAttribute("aria-label", "Attempts");
  if (earlier > 0) list.append(element("li", "wait", `${earlier} earlier …`));
  attempts.forEach((attempt, index) => {
    const before = attempts[index - 1];
    const item = element("li");
    if (before) item.append(element("span", "wait", gap(before, attempt)));
    item.append(chip(attempt));
    list.append(item);
  });
  return list;
}

function gap(before, attempt) {
  const wait = attempt.at_ms - endOf(before);
  return before.ended === null || wait < 0 ? "overlapping" : `waited ${duration(wait)}`;
}

function chip(attempt) {
  const [kind, word] = ending(attempt);
  const made = element("span", `chip ${kind}`, foreign(word));
  made.id = `request-${attempt.id}`;
  if (attempt.duration_ms !== null) made.append(element("small", "", ` ${duration(attempt.duration_ms)}`));
  if (attempt.fault && attempt.fault.short !== word) {
    made.append(element("small", "", ", fault ", foreign(attempt.fault.short)));
  }
  if (attempt.execution === "replayed") made.append(element("small", "", " replayed"));
  if (attempt.seq) made.append(element("small", "seq", ` #${attempt.seq}`));
  return made;
}
