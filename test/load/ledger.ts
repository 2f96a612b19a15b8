/** What may have been true when: written by who changes a thing, read by who judges an answer about it. */

let clock = 0;
/** A moment of this process: later ones are larger. */
export const tick = (): number => ++clock;

/** While a call was under way: it was carried out at some moment within. */
export interface Window {
  readonly from: number;
  readonly until: number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly from: number;
  until: number;
}

/**
 * A value that one person changes, one change at a time. From the moment a change is asked for it may be in
 * force; from the moment it is answered, everything before it is not. A change without an answer leaves both.
 */
export class Ledger<Value> {
  #entries: Entry<Value>[];

  constructor(value: Value) {
    this.#entries = [{ value, from: 0, until: Number.POSITIVE_INFINITY }];
  }

  change(value: Value) {
    const entry: Entry<Value> = { value, from: tick(), until: Number.POSITIVE_INFINITY };
    this.#entries.push(entry);
    return {
      done: () => {
        const now = tick();
        for (const other of this.#entries) if (other !== entry) other.until = Math.min(other.until, now);
      },
      refused: () => {
        this.#entries = this.#entries.filter((other) => other !== entry);
      },
    };
  }

  /** What may have been in force at some moment of the window. */
  during({ from, until }: Window): Value[] {
    return this.#entries
      .filter((entry) => entry.from <= until && entry.until >= from)
      .map(({ value }) => value);
  }

  /** What may be in force now. One value, unless an answer was lost. */
  now(): Value[] {
    const now = tick();
    return this.during({ from: now, until: now });
  }
}
