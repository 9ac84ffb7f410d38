// The entries that the page keeps, sorted into calls. It knows nothing of the page.

/** How many requests are kept. */
export const KEPT = 1000;

export class Journal {
  constructor() {
    this.clear();
  }

  clear() {
    this.entries = new Map(); // by id, the oldest first
    this.calls = new Map(); // by name: { name, label, isGuess, entries: Map }
    this.callOf = new Map(); // by id of the request
    this.judged = new Map(); // by seq: the call of the verdict
    this.dirty = new Set();
    this.dropped = new Set();
    this.total = 0;
    this.lastChange = performance.now();
  }

  /** Adds a request, or what has become known of it. */
  put(entry) {
    const known = this.entries.get(entry.id);
    if (known?.seq && !entry.seq) return; // it has ended meanwhile
    if (!known) this.total += 1;
    this.entries.set(entry.id, entry);
    this.place(entry);
    this.lastChange = performance.now();
    while (this.entries.size > KEPT) this.forget(this.entries.keys().next().value);
  }

  /** Sorts all requests again, by the calls of a verdict. */
  sort(calls) {
    this.judged.clear();
    for (const call of calls) {
      const judged = { name: `verdict ${call.attempts[0]}`, key: call.key, isGuess: call.guess };
      for (const seq of call.attempts) this.judged.set(seq, judged);
    }
    for (const entry of this.entries.values()) this.place(entry);
  }

  place(entry) {
    const { name, label, isGuess } = this.nameOf(entry);
    const before = this.callOf.get(entry.id);
    if (before !== undefined && before !== name) this.takeOut(entry.id, before);
    let call = this.calls.get(name);
    if (!call) {
      call = { name, label, isGuess, entries: new Map() };
      this.calls.set(name, call);
    }
    if (call.entries.get(entry.id) === entry) return;
    call.entries.set(entry.id, entry);
    this.callOf.set(entry.id, name);
    this.dirty.add(name);
  }

  nameOf(entry) {
    const target = `${entry.method} ${entry.path}${entry.query ? `?${entry.query}` : ""}`;
    const judged = this.judged.get(entry.seq);
    if (judged) return { name: judged.name, label: judged.key ?? target, isGuess: judged.isGuess };
    if (entry.key !== null) return { name: `key ${entry.key}`, label: entry.key, isGuess: false };
    const call = entry.headers["x-test-call"];
    if (call) return { name: `call ${call}`, label: call, isGuess: false };
    return { name: `guess ${target} ${entry.body_sha256}`, label: target, isGuess: true };
  }

  takeOut(id, name) {
    const call = this.calls.get(name);
    call.entries.delete(id);
    this.callOf.delete(id);
    if (call.entries.size > 0) {
      this.dirty.add(name);
    } else {
      this.calls.delete(name);
      this.dirty.delete(name);
      this.dropped.add(name);
    }
  }

  forget(id) {
    const entry = this.entries.get(id);
    this.entries.delete(id);
    this.judged.delete(entry.seq);
    this.takeOut(id, this.callOf.get(id));
  }
}
