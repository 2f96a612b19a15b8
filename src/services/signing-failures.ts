/** Failures to sign that say something of the bot: its policy refused, or its key does not open. */
import type { RunnerDatabase } from '../database/as-runner.ts';
import { log } from '../log.ts';
import { Problem, type ProblemCode } from '../problem.ts';

/**
 * The failures that count towards a quarantine. Mistakes of a caller and faults that the operator has to fix are not
 * among them, because they must not stop a bot. The same list as `private.counted_failures()` in SQL.
 */
export const COUNTED_FAILURES: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'key_decryption_failed',
  'policy_chain_denied',
  'policy_value_24h_exceeded',
  'policy_kind_denied',
  'policy_recipient_denied',
  'policy_value_exceeded',
]);

/** What was thrown while a bot's signature was made, as the code that is counted; `undefined` where it is not. */
export function countedFailure(error: unknown): ProblemCode | undefined {
  return error instanceof Problem && COUNTED_FAILURES.has(error.code) ? error.code : undefined;
}

/**
 * Tells the database of a failure, whose own transaction left no trace of it. Answers whether that stopped the bot.
 * Never throws: the caller has its answer, whatever becomes of this.
 */
export async function reportFailure(
  database: RunnerDatabase,
  botId: string,
  code: ProblemCode,
): Promise<'counted' | 'quarantined' | 'not_reported'> {
  try {
    const { quarantined } = await database.reportFailure(botId, code);
    return quarantined ? 'quarantined' : 'counted';
  } catch {
    return 'not_reported';
  }
}

/** Reports a failure to sign if it counts, and logs it. Never throws. */
export async function reportCountedFailure(
  database: RunnerDatabase,
  botId: string,
  code: ProblemCode,
  requestId: string,
): Promise<void> {
  const outcome = await reportFailure(database, botId, code);
  const level = outcome === 'counted' ? 'info' : 'error';
  log({ event: 'signing_failure', level, request_id: requestId, bot_id: botId, code, outcome });
}
