// The requests that the page keeps, sorted into calls. It knows nothing of the page.

/** How many requests are kept. */
export const KEPT = 1000;

export class Journal {
  constructor() {
    this.clear(0);
  }

  /** Forgets everything. `earlier` is the number of requests that are not going to be put in. */
  clear(earlier) {
    this.entries = new Map(); // by id, the oldest first
    this.calls = new Map(); // by name: { name, label, isGuess, entries: Map }
    this.callOf = new Map(); // by id of the request: the name of its call
    this.aliases = new Map(); // by what a request says of itself: the name of the call that the verdict puts it in
    this.open = new Map(); // by target: the last request without a name, and its call
    this.dirty = new Set();
    this.total = earlier;
    this.lastChange = performance.now();
  }

  /** Adds a request, or what has become known of it. */
  put(entry) {
    const known = this.entries.get(entry.id);
    if (known?.seq && !entry.seq) return; // it has ended meanwhile
    if (!known) this.total += 1;
    this.entries.set(entry.id, entry);
    const isSettled = known && ownName(known) === ownName(entry);
    this.place(entry, isSettled ? this.callOf.get(entry.id) : this.nameOf(entry));
    this.lastChange = performance.now();
    while (this.entries.size > KEPT) this.forget(this.entries.keys().next().value);
  }

  /** Sorts the requests as a verdict does. A call keeps its name while its first request is in it. */
  sort(calls) {
    const bySeq = new Map();
    for (const entry of this.entries.values()) bySeq.set(entry.seq, entry);
    const claimed = new Set();
    for (const { attempts, guess } of calls) {
      const kept = attempts.filter((seq) => bySeq.has(seq)).map((seq) => bySeq.get(seq));
      if (kept.length === 0) continue;
      const current = this.callOf.get(kept[0].id);
      const name = claimed.has(current) ? `from ${kept[0].id}` : current;
      claimed.add(name);
      for (const entry of kept) this.place(entry, name);
      this.mark(name, guess);
    }
    this.aliases.clear();
    for (const entry of this.entries.values()) {
      const alias = ownName(entry);
      if (alias) this.aliases.set(alias, this.callOf.get(entry.id));
    }
  }

  place(entry, name) {
    const before = this.callOf.get(entry.id);
    if (before !== undefined && before !== name) this.takeOut(entry.id, before);
    let call = this.calls.get(name);
    if (!call) {
      call = { name, label: labelOf(entry), isGuess: !ownName(entry), entries: new Map() };
      this.calls.set(name, call);
    }
    if (call.entries.get(entry.id) === entry) return;
    call.entries.set(entry.id, entry);
    this.callOf.set(entry.id, name);
    if (!ownName(entry) && entry.id >= (this.open.get(target(entry))?.entry.id ?? 0)) {
      this.open.set(target(entry), { entry, name });
    }
    this.dirty.add(name);
  }

  mark(name, isGuess) {
    const call = this.calls.get(name);
    if (call.isGuess === isGuess) return;
    call.isGuess = isGuess;
    this.dirty.add(name);
  }

  /** The call that a new request seems to belong to, until a verdict says more. */
  nameOf(entry) {
    const own = ownName(entry);
    if (own) return this.aliases.get(own) ?? own;
    const last = this.open.get(target(entry));
    return last && mayBeRepeated(last.entry) && this.calls.has(last.name) ? last.name : `from ${entry.id}`;
  }

  takeOut(id, name) {
    const call = this.calls.get(name);
    call.entries.delete(id);
    this.callOf.delete(id);
    this.dirty.add(name);
    if (call.entries.size === 0) this.calls.delete(name);
  }

  forget(id) {
    const entry = this.entries.get(id);
    this.entries.delete(id);
    this.takeOut(id, this.callOf.get(id));
    if (this.open.get(target(entry))?.entry.id === id) this.open.delete(target(entry));
    const own = ownName(entry);
    if (own && !this.calls.has(this.aliases.get(own))) this.aliases.delete(own);
  }
}

const target = (entry) => `${entry.method} ${entry.path}${entry.query ? `?${entry.query}` : ""}`;

const markOf = (entry) => entry.headers["x-test-call"];

/** What a request says of the call that it belongs to. */
function ownName(entry) {
  if (markOf(entry)) return `call ${markOf(entry)}`;
  const key = keyOf(entry);
  return key ? `key ${key}` : null;
}

/** The idempotency key, which the server reads a little after the request has begun. */
function keyOf(entry) {
  if (entry.seq) return entry.key;
  return entry.headers["idempotency-key"]?.replace(/^"(.*)"$/u, "$1") || entry.headers["x-request-id"];
}

const labelOf = (entry) => markOf(entry) || keyOf(entry) || target(entry);

const mayBeRepeated = (entry) => entry.ended !== null && !(entry.ended === "answered" && entry.status < 400);
