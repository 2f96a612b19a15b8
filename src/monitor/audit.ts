/** Maintains the audit chains: moves queued events into them, then signs their new heads. */
import type { AuditorDatabase } from '../database/as-auditor.ts';
import { isMachineToken } from '../machine-token.ts';
import { signCheckpoints } from './checkpoints.ts';
import type { Job } from './job.ts';

/** Each call is one transaction. It must be short, because readers of a chain wait for it. */
const EVENTS_PER_CALL = 500;
/** Up to 20,000 events. The next run continues. */
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

/** Without this, events would stay queued until somebody reads the chain. */
async function chainQueuedEvents(auditor: AuditorDatabase): Promise<number> {
  for (let calls = 1, events = 0; ; calls++) {
    const { chained } = await auditor.chainQueuedEvents(EVENTS_PER_CALL);
    events += chained;
    // Fewer than the maximum does not mean the end, because the database limits the share of each client per call.
    if (chained === 0 || calls === MAX_CALLS) return events;
  }
}
