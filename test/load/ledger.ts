/** The values that may have been true at a time: written by whoever changes a thing, read to judge a response about it. */

let clock = 0;
/** A moment in this process: a later moment is larger. */
export const tick = (): number => ++clock;

/** The duration of a call: it was executed at some moment within. */
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
 * A value that one caller changes, one change at a time. The new value may hold from the request on; from the response on,
 * no earlier value does. After a change without a response both may hold.
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

  /** The values that may have held at some moment of the window. */
  during({ from, until }: Window): Value[] {
    return this.#entries
      .filter((entry) => entry.from <= until && entry.until >= from)
      .map(({ value }) => value);
  }

  /** The values that may hold now. There is one, unless a response was lost. */
  now(): Value[] {
    const now = tick();
    return this.during({ from: now, until: now });
  }
}
