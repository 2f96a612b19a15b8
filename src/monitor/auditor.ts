import type { AuditorDatabase } from '../database/as-auditor.ts';
import { hashOfMachineToken, isMachineToken } from '../machine-token.ts';
import type { Runtime } from '../runtime.ts';

/** The database for the cron that keeps the audit chains; `undefined` where there is no token to sign in with. */
export function auditorOf({ settings, database }: Runtime, requestId: string): AuditorDatabase | undefined {
  const { monitorToken: token } = settings;
  if (token === undefined || !isMachineToken(token)) return undefined;
  return database().asAuditor({ tokenHash: hashOfMachineToken(token), requestId });
}
