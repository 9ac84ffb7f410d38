// Text from clients, made visible and safe to show, and small helpers for elements.

// Characters without a shape, or that change the order of others.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
const LONGEST = 120;

/** The text with control characters as escapes, and cut. */
export function shown(text) {
  const visible = String(text).slice(0, LONGEST * 2)
    .replace(INVISIBLE, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
  return visible.length > LONGEST ? `${visible.slice(0, LONGEST)}…` : visible;
}

/** An element with a class and children; a string is a text node, never markup. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** An element for what a client has sent: its direction does not spread. */
export function foreign(text, className) {
  return element("bdi", className, shown(text));
}

/** A duration for people, on one line. */
export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)}\u00a0ms`;
  return ms < 10_000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`;
}

/** A number of things. */
export const count = (number, thing) => `${number} ${thing}${number === 1 ? "" : "s"}`;

/** The element with this id. */
export const byId = (id) => document.getElementById(id);
