import type { Settings } from '../env.ts';
import { isMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';

/** The machine token of the monitor. The database checks whether it is valid. @throws {Problem} */
export function monitorToken({ monitorToken: token }: Settings): string {
  if (token === undefined) throw new Problem('monitor_token_missing');
  if (!isMachineToken(token)) throw new Problem('monitor_token_malformed');
  return token;
}
