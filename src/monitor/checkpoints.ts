/** Signs the heads of the audit chains that moved, once a day each. */
import type { SignedHead, UnsignedHead } from '../database/as-auditor.ts';
import { log } from '../log.ts';
import { signCheckpoint } from '../services/checkpoints.ts';
import { auditorOf } from './auditor.ts';
import type { Job } from './index.ts';

/** In one call. */
const HEADS_A_CALL = 100;
/** 500 clients a minute. What is left waits for the next. */
const MOST_CALLS = 5;

export const signCheckpoints: Job = {
  name: 'audit_checkpoints',
  async run(runtime, requestId) {
    const auditor = auditorOf(runtime, requestId);
    if (!auditor) return undefined;
    const keys = await runtime.auditKeys();
    if (!keys.signing) {
      log({ event: 'audit_checkpoints', level: 'info', request_id: requestId, code: 'audit_key_missing' });
      return undefined;
    }
    const iss = runtime.settings.supabaseUrl?.href.replace(/\/$/, '') ?? '';
    const done = { signed: 0, misfits: 0 };
    for (let calls = 1; calls <= MOST_CALLS; calls++) {
      const heads: UnsignedHead[] = await auditor.listUnsignedHeads(HEADS_A_CALL);
      const signed: SignedHead[] = [];
      for (const head of heads) {
        const jws = await signCheckpoint(head, keys, iss, Date.now());
        if (jws === undefined) {
          // Loud on purpose: somebody changed a chain under a checkpoint, or a key is missing that signed it.
          log({ event: 'audit_misfit', level: 'error', request_id: requestId, client_id: head.client_id });
        } else signed.push({ client_id: head.client_id, seq: head.seq, jws });
      }
      const { stored } = signed.length > 0 ? await auditor.storeCheckpoints(signed) : { stored: 0 };
      done.signed += stored;
      done.misfits += heads.length - signed.length;
      if (stored === 0 || heads.length < HEADS_A_CALL) break;
    }
    return done;
  },
};
