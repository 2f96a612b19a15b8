/** Keeps the audit chains: moves what waits into them, then signs the heads of those that moved. */
import type { AuditorDatabase } from '../database/as-auditor.ts';
import { isMachineToken } from '../machine-token.ts';
import { signCheckpoints } from './checkpoints.ts';
import type { Job } from './job.ts';

/** In one call, each a transaction: short, since who reads a chain waits for it. */
const EVENTS_PER_CALL = 500;
/** Up to 20,000 events. What is left waits for the next minute. */
const MAX_CALLS = 40;

export const keepAuditChains: Job = {
  name: 'audit',
  async run(runtime, requestId) {
    const { monitorToken: token } = runtime.settings;
    if (token === undefined || !isMachineToken(token)) return undefined;
    const auditor = runtime.database().asAuditor({ token, requestId });
    const events = await chainQueuedEvents(auditor);
    return { events, ...(await signCheckpoints(runtime, auditor, requestId)) };
  },
};

/** So that none waits for somebody to read it. */
async function chainQueuedEvents(auditor: AuditorDatabase): Promise<number> {
  for (let calls = 1, events = 0; ; calls++) {
    const { chained } = await auditor.chainQueuedEvents(EVENTS_PER_CALL);
    events += chained;
    // Few may have been chained of many clients, or of one's many events its share: it is over when nothing is.
    if (chained === 0 || calls === MAX_CALLS) return events;
  }
}
