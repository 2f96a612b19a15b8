import type { Settings } from '../env.ts';
import { isMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';

/** The token that the monitor calls the database with. The database decides whether it is in force. @throws {Problem} */
export function monitorToken({ monitorToken: token }: Settings): string {
  if (token === undefined) throw new Problem('monitor_token_missing');
  if (!isMachineToken(token)) throw new Problem('monitor_token_malformed');
  return token;
}
