import type { IssuedToken, IssueTokenRequest } from '../contract/tokens.ts';
import type { CallerDatabase } from '../database/as-caller.ts';
import { hashOfMachineToken, newMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';

/** A year has four digits in RFC 3339. A later time could not be written in a response. */
const YEAR_10000 = Date.UTC(10_000);

export interface Dependencies {
  readonly database: CallerDatabase;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Issues a machine token for a bot and optionally for other bots. The token is returned once, because the database stores
 * only its hash. A repeated request with the same Idempotency-Key gets the same response without the token.
 *
 * @throws {Problem} validation_failed if the expiry is in the past, or after the year 9999
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
