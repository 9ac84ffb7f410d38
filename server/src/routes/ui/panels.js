// The panels beside the calls: the verdict, and the faults.

import { byId, element, foreign, shown } from "./text.js";

/** How long the client has been quiet when it counts as one that does not retry, in milliseconds. */
export const QUIET = 60_000;

/** How many requests are named for a finding. */
const EVIDENCE = 8;

const PRESETS = [
  ["One 503", "503,ok"],
  ["Three 503", "503,503,503,ok"],
  ["503, reset, 200", "503,reset,ok"],
  ["Reset", "reset"],
  ["Truncated", "truncate"],
  ["Garbage", "garbage"],
  ["Hang 2 s", "hang:2000"],
  ["Delay 1 s", "delay:1000"],
  ["Answer lost", "lose"],
];
const PLANS = [
  ["429, Retry-After 2", { rules: [{ script: [{ status: 429, retry_after: { seconds: 2 } }, "ok"] }] }],
  ["30 % 503", { rules: [{ probability: 0.3, fault: "503" }] }],
];

/** Shows a verdict; `quiet` says how long nothing has happened. */
export function showVerdict(verdict, quiet) {
  const findings = verdict.findings.filter((finding) => finding.id !== "no-retry" || quiet >= QUIET);
  const isHeldBack = findings.length < verdict.findings.length;
  const overall = worst(findings);
  say(byId("verdict"), verdict.requests === 0 ? "none yet" : overall);
  byId("verdict").dataset.verdict = verdict.requests === 0 ? "none" : overall;
  figures(verdict);
  const items = findings.map((finding) => {
    const link = element("a", "", finding.id);
    link.href = `findings#${encodeURIComponent(finding.id)}`;
    return element("li", finding.severity, element("strong", "", finding.severity), " ", link,
      element("p", "", shown(finding.message)), evidence(finding.evidence));
  });
  replace(byId("findings"), items);
  return isHeldBack;
}

/** The requests that show it, by the numbers that the lanes have too. */
function evidence(seqs) {
  const numbers = seqs.slice(0, EVIDENCE).map((seq) => `#${seq}`).join(", ");
  const more = seqs.length > EVIDENCE ? ` and ${seqs.length - EVIDENCE} more` : "";
  return element("p", "facts", `${seqs.length === 1 ? "request" : "requests"} ${numbers}${more}`);
}

const worst = (findings) =>
  ["fail", "warn"].find((severity) => findings.some((finding) => finding.severity === severity)) ?? "pass";

function figures(verdict) {
  const rows = [
    ["Requests", verdict.requests],
    ["Calls", verdict.calls.length],
    ["Attempts per call", Number(verdict.amplification ?? 0).toFixed(2)],
    ["Most at once", verdict.peak_concurrent],
    ["Connections", verdict.connections],
    ["In flight", verdict.in_flight.length],
  ];
  replace(byId("figures"), rows.map(([name, value]) =>
    element("div", "", element("dt", "", name), element("dd", "", String(value)))));
}

/** Shows these elements; what has not changed is not announced again. */
function replace(list, items) {
  const isSame = items.length === list.children.length
    && items.every((item, index) => item.isEqualNode(list.children[index]));
  if (!isSame) list.replaceChildren(...items);
}

function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** Makes the buttons and forms work. `changed` is called after each change. */
export function armFaults(changed) {
  const send = async (what, path, options) => {
    const answer = await fetch(path, options).catch(() => null);
    say(byId("done"), answer?.ok ? `${what}: done` : `${what}: ${await problem(answer)}`);
    changed();
  };
  const script = (steps) => send(`Script ${steps}`, `fail/script/${encodeURIComponent(steps)}`, { method: "POST" });
  const plan = (name, text) => send(name, "faults", { method: "PUT", body: text });
  const buttons = PRESETS.map(([name, steps]) => button(name, () => script(steps)));
  buttons.push(...PLANS.map(([name, rules]) => button(name, () => plan(name, JSON.stringify(rules)))));
  byId("presets").replaceChildren(...buttons);
  onSubmit("script-form", () => script(byId("script").value.trim()));
  onSubmit("plan-form", () => plan("Plan", byId("plan").value));
  byId("disarm").addEventListener("click", () => send("Disarm", "faults", { method: "DELETE" }));
  byId("reset").addEventListener("click", () => send("Reset", "reset", { method: "POST" }));
}

function button(name, onClick) {
  const made = element("button", "", name);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

function onSubmit(id, act) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

async function problem(answer) {
  if (!answer) return "the server does not answer";
  const body = await answer.json().catch(() => ({}));
  const detail = Array.isArray(body.detail)
    ? body.detail.map((entry) => `${entry.loc.join(".")}: ${entry.msg}`).join("; ")
    : body.detail;
  return shown(detail ?? answer.status);
}

/** Shows the rules in force. */
export function showFaults(faults) {
  const rules = faults.plan?.rules ?? [];
  const items = faults.rules.map(({ name, matched, injected }, index) => element("li", "",
    foreign(name ?? JSON.stringify(rules[index] ?? {}), "rule"),
    element("p", "facts", `matched ${matched}, injected ${injected}`)));
  replace(byId("rules"), items.length > 0 ? items : [element("li", "facts", "No fault is armed.")]);
}
