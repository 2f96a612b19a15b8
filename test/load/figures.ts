/** How many requests there were, how long they took, and what was returned. */

export interface Timing {
  readonly route: string;
  readonly requests: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export class Figures {
  readonly #times = new Map<string, number[]>();
  readonly #answers = new Map<string, number>();
  requests = 0;

  count(route: string, milliseconds: number, answer: string): void {
    this.requests += 1;
    const times = this.#times.get(route) ?? [];
    times.push(milliseconds);
    this.#times.set(route, times);
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1);
  }

  timings(): Timing[] {
    return [...this.#times]
      .map(([route, times]) => {
        const sorted = times.toSorted((one, other) => one - other);
        const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
        return { route, requests: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
      })
      .sort((one, other) => one.route.localeCompare(other.route));
  }

  /** By problem code, or by status without a code; the most frequent first. */
  answers(): [string, number][] {
    return [...this.#answers].sort(([, one], [, other]) => other - one);
  }
}
