/** How a transaction of a test ends. Does not import vitest, because a benchmark uses it too. */
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';

/** `ok`, or the errcode, with the hint if the code is one of ours. */
export type Outcome = string;

export const outcomeOf = (code: string | undefined, hint: string | null | undefined): Outcome =>
  code?.startsWith('PT') ? `${code} ${hint}` : (code ?? 'no code');

export const BUSY: Outcome = 'PT503 database_busy';

/**
 * Retries an action that was rejected because too many transactions wait for the same lock, as the edge does. A rejected
 * attempt has no effect.
 */
export async function untilNotBusy(attempt: () => Promise<Outcome>): Promise<Outcome> {
  for (;;) {
    const outcome = await attempt();
    if (outcome !== BUSY) return outcome;
    await wait(5 + Math.random() * 20);
  }
}

/** The same for a query, which fails with an error instead. */
export async function retryWhileBusy<Answer>(attempt: () => PromiseLike<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof postgres.PostgresError) || outcomeOf(error.code, error.hint) !== BUSY)
        throw error;
      await wait(5 + Math.random() * 20);
    }
  }
}
