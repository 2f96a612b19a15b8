/** Failures to sign that count towards the quarantine of a bot. */
import type { RunnerDatabase } from '../database/as-runner.ts';
import { Problem, type ProblemCode } from '../problem.ts';

/** Malformed requests and faults of the service do not count, because they must not stop a bot. */
const COUNTED: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'key_not_opened',
  'policy_chain_denied',
  'policy_value_24h_exceeded',
  'policy_kind_denied',
  'policy_recipient_denied',
  'policy_value_exceeded',
]);

/** The code of the failure. `undefined` if it does not count. */
export function countedFailure(error: unknown): ProblemCode | undefined {
  return error instanceof Problem && COUNTED.has(error.code) ? error.code : undefined;
}

/**
 * Reports a failure to the database, because the transaction that failed was rolled back. Returns whether the report
 * stopped the bot. Never throws, because the caller must get the original problem.
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
