/** Signed heads of audit chains (compact JWS, RFC 7515, EdDSA), verified by Web Crypto alone. */
import type { AuditKeys } from './types.ts';

/** What a checkpoint says: this row was the last of this client's chain at this time. */
export interface SignedHead {
  readonly iss: string;
  readonly client_id: string;
  readonly seq: number;
  readonly hash: string;
  readonly time: string;
}

const TYPE = 'audit-checkpoint+jwt';

/** What the checkpoint says, or `undefined` where none of these keys signed it. */
export async function openCheckpoint(jws: string, { keys }: AuditKeys): Promise<SignedHead | undefined> {
  const [header = '', payload = '', signature = '', ...more] = jws.split('.');
  if (more.length > 0) return undefined;
  try {
    const { alg, kid, typ, crit } = JSON.parse(text(header));
    const jwk = keys.find((key) => key.kid === kid);
    if (alg !== 'EdDSA' || typ !== TYPE || crit !== undefined || jwk === undefined) return undefined;
    const key = await crypto.subtle.importKey('raw', bytes(jwk.x), 'Ed25519', false, ['verify']);
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    if (!(await crypto.subtle.verify('Ed25519', key, bytes(signature), signed))) return undefined;
    return JSON.parse(text(payload));
  } catch {
    return undefined;
  }
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(base64url)) throw new TypeError('Not base64url.');
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

const text = (base64url: string) => new TextDecoder('utf-8', { fatal: true }).decode(bytes(base64url));
