/** The audit key of a deployment, which signs heads of audit chains, and the public keys that verify them. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { base64url, CompactSign, calculateJwkThumbprint, compactVerify, importJWK } from 'jose';

export const CHECKPOINT_TYPE = 'audit-checkpoint+jwt';

/** 32 bytes in padded base64, like a master key. */
const SEED = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** The member `x` of a JWK: 32 bytes in base64url. */
const PUBLIC_KEY = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
/** PrivateKeyInfo of an Ed25519 seed (RFC 8410, section 7), up to the 32 bytes of the seed. */
const PKCS8_PREFIX = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);

export class AuditKeyError extends Error {
  override readonly name = 'AuditKeyError';
  readonly reason: 'missing' | 'malformed';

  constructor(reason: AuditKeyError['reason']) {
    super(`AUDIT_SIGNING_KEY or AUDIT_PUBLIC_KEYS is ${reason}`);
    this.reason = reason;
  }
}

export interface PublicAuditKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly alg: 'EdDSA';
  readonly use: 'sig';
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly x: string;
}

export interface AuditKeys {
  /** The signing key, not extractable. `undefined` if it is not set. */
  readonly signing: { readonly kid: string; readonly key: CryptoKey } | undefined;
  /** The public key of the signing key first, then those of former keys. */
  readonly published: readonly PublicAuditKey[];
}

/** The content of a checkpoint: at this time, this row was the last of this client's chain. */
export interface Head {
  readonly iss: string;
  readonly client_id: string;
  readonly seq: number;
  readonly hash: string;
  /** RFC 3339, UTC. */
  readonly time: string;
}

/**
 * Parses the settings `AUDIT_SIGNING_KEY` (an Ed25519 seed of 32 bytes in base64) and `AUDIT_PUBLIC_KEYS` (public keys of
 * former audit keys, each the member `x` of its JWK, separated by commas). Both are optional.
 *
 * @throws {AuditKeyError} malformed
 */
export async function parseAuditKeys(
  signingKey: string | undefined,
  publicKeys: string | undefined,
): Promise<AuditKeys> {
  const signing = signingKey?.trim() ? await importSeed(signingKey.trim()) : undefined;
  const former = (publicKeys?.trim() ? publicKeys.split(',') : []).map((text) => text.trim());
  if (!former.every((text) => PUBLIC_KEY.test(text))) throw new AuditKeyError('malformed');
  const published = await Promise.all(
    [...new Set([...(signing ? [signing.x] : []), ...former])].map(publicKey),
  );
  return { signing: signing && { kid: signing.kid, key: signing.key }, published };
}

async function importSeed(text: string): Promise<{ kid: string; key: CryptoKey; x: string }> {
  if (!SEED.test(text)) throw new AuditKeyError('malformed');
  const pkcs8 = new Uint8Array(PKCS8_PREFIX.length + 32);
  const seed = pkcs8.subarray(PKCS8_PREFIX.length);
  pkcs8.set(PKCS8_PREFIX);
  seed.set(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
  try {
    if (seed.every((byte) => byte === seed[0])) throw new AuditKeyError('malformed');
    const { x, kid } = await publicKey(base64url.encode(ed25519.getPublicKey(seed)));
    return { x, kid, key: await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']) };
  } finally {
    pkcs8.fill(0);
  }
}

async function publicKey(x: string): Promise<PublicAuditKey> {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x } as const;
  return { ...jwk, alg: 'EdDSA', use: 'sig', kid: await calculateJwkThumbprint(jwk, 'sha256') };
}

/** A compact JWS over the head. @throws {AuditKeyError} missing */
export function signHead({ signing }: AuditKeys, head: Head): Promise<string> {
  if (!signing) throw new AuditKeyError('missing');
  const { iss, client_id, seq, hash, time } = head;
  return new CompactSign(new TextEncoder().encode(JSON.stringify({ iss, client_id, seq, hash, time })))
    .setProtectedHeader({ alg: 'EdDSA', kid: signing.kid, typ: CHECKPOINT_TYPE })
    .sign(signing.key);
}

/** The content of a checkpoint, or `undefined` if none of the published keys signed it. */
export async function openCheckpoint(
  { published }: AuditKeys,
  jws: string,
): Promise<Partial<Record<keyof Head, unknown>> | undefined> {
  try {
    const { payload } = await compactVerify(
      jws,
      async ({ kid, typ }) => {
        const jwk = published.find((key) => key.kid === kid);
        if (!jwk || typ !== CHECKPOINT_TYPE) throw new TypeError('another key');
        return importJWK({ ...jwk }, 'EdDSA');
      },
      { algorithms: ['EdDSA'] },
    );
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
