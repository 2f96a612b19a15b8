import { base64url, calculateJwkThumbprint } from 'jose';

/**
 * 32 bytes, which `A256GCMKW` requires (RFC 7518, section 4.7), in padded base64 (RFC 4648, section 4). The two unused bits
 * of the last character must be zero, so that each key has exactly one text.
 */
const MASTER_KEY = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

const MESSAGES = {
  missing: 'ENCRYPTION_KEY is not set',
  malformed: 'ENCRYPTION_KEY is not a comma-separated list of base64 keys of 32 bytes',
  weak: 'ENCRYPTION_KEY holds a key whose bytes are all the same',
  duplicate: 'ENCRYPTION_KEY holds the same key twice',
} as const;

/** The reason why the setting is rejected. The message is a fixed text without any part of the setting. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';
  readonly reason: keyof typeof MESSAGES;

  constructor(reason: keyof typeof MESSAGES) {
    super(MESSAGES[reason]);
    this.reason = reason;
  }
}

/** A key-encryption key. `id` is its thumbprint (RFC 7638). `key` is not extractable. */
export interface MasterKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** The configured master keys. `primary` seals, and every key of `byId` opens. */
export interface Keyring {
  readonly primary: MasterKey;
  readonly byId: ReadonlyMap<string, MasterKey>;
}

/**
 * Parses the setting `ENCRYPTION_KEY`: one or more keys of 32 bytes in padded, canonical base64, separated by commas. White
 * space around an entry is ignored.
 *
 * @throws {KeyringError} `missing`, `malformed`, `weak` (all bytes the same) or `duplicate`
 */
export async function parseKeyring(setting: string | undefined): Promise<Keyring> {
  if (setting === undefined || setting.trim() === '') throw new KeyringError('missing');
  const [first, ...others] = setting.split(',');
  const primary = await importMasterKey(first ?? '');
  const byId = new Map([[primary.id, primary]]);
  for (const entry of others) {
    const key = await importMasterKey(entry);
    if (byId.has(key.id)) throw new KeyringError('duplicate');
    byId.set(key.id, key);
  }
  return { primary, byId };
}

async function importMasterKey(entry: string): Promise<MasterKey> {
  const text = entry.trim();
  if (!MASTER_KEY.test(text)) throw new KeyringError('malformed');
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  try {
    // A placeholder or an empty buffer. A random key never has equal bytes.
    if (bytes.every((byte) => byte === bytes[0])) throw new KeyringError('weak');
    // The thumbprint is a SHA-256 of 256 random bits, so it reveals nothing about the key, and envelopes may contain it.
    const id = await calculateJwkThumbprint({ kty: 'oct', k: base64url.encode(bytes) }, 'sha256');
    const key = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
    return { id, key };
  } finally {
    bytes.fill(0);
  }
}
