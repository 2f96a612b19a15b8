import { type AuditKeys, openCheckpoint, signHead } from '../crypto/audit-key.ts';
import type { UnsignedHead } from '../database/as-auditor.ts';

/**
 * Signs the head of a chain and returns the JWS. Returns `undefined` if the chain does not match its last checkpoint: then
 * somebody changed the chain in the database after the checkpoint was signed.
 *
 * @param iss the issuer in the checkpoint
 * @param now milliseconds since the epoch
 */
export async function signCheckpoint(
  { client_id, seq, hash, last }: UnsignedHead,
  keys: AuditKeys,
  iss: string,
  now: number,
): Promise<string | undefined> {
  if (last) {
    const checkpoint = await openCheckpoint(keys, last.jws);
    const isUnchanged =
      checkpoint?.client_id === client_id &&
      checkpoint.seq === last.seq &&
      checkpoint.hash === last.hash &&
      last.seq < seq;
    if (!isUnchanged) return undefined;
  }
  return signHead(keys, { iss, client_id, seq, hash, time: new Date(now).toISOString() });
}
