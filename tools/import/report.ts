/** Prints the outcome of an import: rows by table, id and reason, but no other values of the rows. */
import { OLD_TABLES } from './mapping.ts';
import { LEFT, type Outcome, REFUSED } from './outcome.ts';

export class Report {
  readonly #print: (line: string) => void;
  readonly #counts = new Map<string, number>();
  #refused = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  get refused(): number {
    return this.#refused;
  }

  add(outcome: Outcome): void {
    const { table, id, as } = outcome;
    const reason = 'reason' in outcome ? outcome.reason : '';
    this.#count(`${table} ${as} ${reason}`);
    if (as === 'refused') this.#refused += 1;
    if (reason !== '') this.#print(`${as.padEnd(8)} ${table.padEnd(12)} ${id.padEnd(36)} ${reason}`);
  }

  /** Prints the totals: taken, already there, left by reason, and refused by reason. */
  printTotals(): void {
    const kinds = [...new Set([...this.#counts.keys()].map((key) => key.slice(key.indexOf(' ') + 1)))];
    const order = ['taken', 'there', 'left', 'refused'];
    kinds.sort((a, b) => order.indexOf(a.split(' ')[0] ?? '') - order.indexOf(b.split(' ')[0] ?? ''));
    this.#print('');
    this.#print(`${''.padEnd(36)}${OLD_TABLES.map((table) => table.padStart(13)).join('')}`);
    for (const kind of ['taken ', 'there ', ...kinds.filter((kind) => !/^(?:taken|there) $/.test(kind))]) {
      const [as = '', reason = ''] = kind.split(' ');
      const label = as === 'there' ? 'already there' : `${as}${reason && `: ${reason}`}`;
      const counts = OLD_TABLES.map((table) =>
        String(this.#counts.get(`${table} ${kind}`) ?? 0).padStart(13),
      );
      this.#print(`${label.padEnd(36)}${counts.join('')}`);
    }
    const explained: Readonly<Record<string, string>> = { ...LEFT, ...REFUSED };
    const reasons = kinds.flatMap((kind) => kind.split(' ')[1] || []).filter((reason) => explained[reason]);
    if (reasons.length > 0) this.#print('');
    for (const reason of reasons) this.#print(`${reason}: ${explained[reason]}`);
  }

  #count(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }
}
