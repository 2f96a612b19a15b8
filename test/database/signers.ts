/** Runners directly at the database: they call `check_out_key` continuously, as PostgREST calls it for a machine token. */
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { inject } from 'vitest';
import { type Outcome, outcomeOf, untilNotBusy } from '../support/outcome.ts';
import type { TokenRow } from '../support/rows.ts';
import type { Once } from './actions.ts';

const MESSAGE = { kind: 'evm.message', recipients: [], value: '0', digest: 'ab'.repeat(32) };

/** A signature, and the transaction that gave it. */
export interface Signature {
  readonly xid: string;
  readonly bot_id: string;
  readonly key_id: string;
  readonly token_id: string;
}

export class Signers {
  readonly sql: postgres.Sql;
  readonly signatures: Signature[] = [];
  readonly outcomes = new Map<Outcome, number>();
  #running: Promise<void>[] = [];
  #stopped = false;

  constructor(connections: number, databaseUrl = inject('databaseUrl')) {
    this.sql = postgres(databaseUrl, { max: connections, onnotice: () => {}, prepare: false });
  }

  async end(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    await this.sql.end({ timeout: 1 });
  }

  count(outcome: Outcome): number {
    return this.outcomes.get(outcome) ?? 0;
  }

  /** Waits until this token has signed a few more times for this bot. */
  async signedMore(token: TokenRow, bot: string, times = 3): Promise<void> {
    const count = () =>
      this.signatures.filter(({ token_id, bot_id }) => token_id === token.id && bot_id === bot).length;
    const enough = count() + times;
    while (count() < enough) await wait(5);
  }

  /**
   * Checks a key out, in a transaction that stays open for `holdMs` before it commits. Retried while the database is
   * too busy for it.
   */
  async checkOut(
    { id, token }: TokenRow,
    bot: string,
    signing: object = MESSAGE,
    holdMs = 0,
    once: Once | null = null,
  ): Promise<Outcome> {
    let given: Signature | undefined;
    const outcome = await untilNotBusy(() =>
      this.sql
        .begin(async (sql) => {
          await sql`select set_config('role', 'anon', true), set_config('request.jwt.claims', '', true)`;
          const [row] = await sql<[{ xid: string; key_id: string }]>`
            select pg_current_xact_id()::xid::text as xid, public.check_out_key(
              ${inject('edgeToken')}, ${token}, ${bot}, ${sql.json(signing as postgres.JSONValue)}, null,
              ${once && sql.json({ ...once })}) ->> 'key_id' as key_id`;
          given = { ...row, bot_id: bot, token_id: id };
          if (holdMs > 0) await wait(holdMs);
          return 'ok';
        })
        .catch((error) => {
          if (!(error instanceof postgres.PostgresError)) throw error;
          return outcomeOf(error.code, error.hint);
        }),
    );
    this.outcomes.set(outcome, this.count(outcome) + 1);
    if (outcome === 'ok' && given) this.signatures.push(given);
    return outcome;
  }

  /** A signer that signs repeatedly until the end, each time with the current token of the runner. */
  start(token: TokenRow | (() => TokenRow), bot: string, holdMs = 0): void {
    const current = typeof token === 'function' ? token : () => token;
    const run = async () => {
      while (!this.#stopped)
        if ((await this.checkOut(current(), bot, MESSAGE, holdMs)) !== 'ok') await wait(1);
    };
    this.#running.push(run());
  }
}
