import type { IssuedToken, IssueTokenRequest } from '../contract/tokens.ts';
import type { CallerDatabase } from '../database/as-caller.ts';
import { hashOfMachineToken, newMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';

/** RFC 3339 has four digits for a year: what lies beyond could not be answered, and so not be listed. */
const YEAR_10000 = Date.UTC(10_000);

export interface Dependencies {
  readonly database: CallerDatabase;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * A new machine token for a bot, and for others beside it. Here alone it is shown: the database gets its hash, and
 * who asks again under an Idempotency-Key gets what is known of the first token, without it.
 *
 * @throws {Problem} validation_failed where it would expire before it is used, or in no year that can be told
 */
export async function issueToken(
  { database, now }: Dependencies,
  botId: string,
  { name, expires_at, other_bot_ids = [] }: IssueTokenRequest,
): Promise<IssuedToken> {
  const expires = expires_at === undefined ? undefined : Date.parse(expires_at);
  if (expires !== undefined && !(expires > now && expires < YEAR_10000)) {
    throw new Problem('validation_failed', [
      { pointer: '/expires_at', code: 'out_of_range', detail: 'in the past, or after the year 9999' },
    ]);
  }
  const token = newMachineToken();
  const { replayed, ...issued } = await database.issueToken(botId, {
    name,
    token_hash: hashOfMachineToken(token),
    other_bot_ids,
    ...(expires !== undefined && { expires_at: new Date(expires).toISOString() }),
  });
  return replayed ? issued : { ...issued, token };
}
