import type { IssuedToken, IssueTokenRequest } from '../contract/tokens.ts';
import type { CallerDatabase } from '../database/as-caller.ts';
import { hashOfMachineToken, newMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';

export interface Dependencies {
  readonly database: CallerDatabase;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * A new machine token for a bot, and for others beside it. Here alone it is shown: the database gets its hash.
 *
 * @throws {Problem} validation_failed where it would expire before it is used
 */
export async function issueToken(
  { database, now }: Dependencies,
  botId: string,
  { name, expires_at, bot_ids = [] }: IssueTokenRequest,
): Promise<IssuedToken> {
  if (expires_at !== undefined && Date.parse(expires_at) <= now) {
    throw new Problem('validation_failed', [
      { pointer: '/expires_at', code: 'too_small', detail: 'in the past' },
    ]);
  }
  const token = newMachineToken();
  const issued = await database.issueToken(botId, {
    name,
    token_hash: hashOfMachineToken(token),
    other_bot_ids: bot_ids,
    ...(expires_at !== undefined && { expires_at }),
  });
  return { ...issued, token };
}
