/** Signs the heads of the audit chains that have new events, each at most once a day. */
import type { AuditorDatabase, SignedHead } from '../database/as-auditor.ts';
import { log } from '../log.ts';
import type { Runtime } from '../runtime.ts';
import { signCheckpoint } from '../services/checkpoints.ts';

const HEADS_PER_CALL = 100;
/** 500 clients a minute. The next run continues. */
const MAX_CALLS = 5;

/** Without an audit key nothing is signed, and a line is logged. @throws {Problem} if the audit key is malformed, for example */
export async function signCheckpoints(
  { settings, auditKeys }: Runtime,
  auditor: AuditorDatabase,
  requestId: string,
): Promise<{ signed: number; mismatches: number }> {
  const done = { signed: 0, mismatches: 0 };
  const reported = new Set<string>();
  const keys = await auditKeys();
  if (!keys.signing) {
    log({ event: 'audit_checkpoints', request_id: requestId, code: 'audit_key_missing' });
    return done;
  }
  const iss = settings.supabaseUrl?.href.replace(/\/$/, '') ?? '';
  for (let calls = 1; calls <= MAX_CALLS; calls++) {
    const heads = await auditor.listUnsignedHeads(HEADS_PER_CALL);
    const signed: SignedHead[] = [];
    for (const head of heads) {
      const { client_id, seq } = head;
      const jws = await signCheckpoint(head, keys, iss, Date.now());
      if (jws !== undefined) signed.push({ client_id, seq, jws });
      else if (!reported.has(client_id)) {
        // An error for the operator: somebody changed the chain, or AUDIT_PUBLIC_KEYS lacks the key of its last checkpoint.
        log({ event: 'audit_checkpoint_mismatch', level: 'error', request_id: requestId, client_id });
        reported.add(client_id);
      }
    }
    const { stored } = signed.length > 0 ? await auditor.storeCheckpoints(signed) : { stored: 0 };
    done.signed += stored;
    done.mismatches = reported.size;
    if (heads.length < HEADS_PER_CALL) break;
  }
  return done;
}
