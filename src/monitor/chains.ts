/** Moves queued events into the audit chains, so that none waits for somebody to read it. */
import { auditorOf } from './auditor.ts';
import type { Job } from './index.ts';

/** In one call, each a transaction: short, since who reads a chain waits for it. */
const EVENTS_A_CALL = 500;
/** 20,000 events. What is left waits for the next minute. */
const MOST_CALLS = 40;

export const chainEvents: Job = {
  name: 'audit_chains',
  async run(runtime, requestId) {
    const auditor = auditorOf(runtime, requestId);
    if (!auditor) return undefined;
    for (let calls = 1, events = 0; ; calls++) {
      const { chained } = await auditor.chainQueuedEvents(EVENTS_A_CALL);
      events += chained;
      if (chained < EVENTS_A_CALL || calls === MOST_CALLS) return { calls, events };
    }
  },
};
