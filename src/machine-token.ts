/** The form of machine tokens: `tk_` and base58check of 32 random bytes. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { createBase58check } from '@scure/base';

export const MACHINE_TOKEN_PREFIX = 'tk_';
const BYTES = 32;
/** Base58 of 36 bytes has at most 50 characters. */
const MAX_LENGTH = MACHINE_TOKEN_PREFIX.length + 50;
const base58check = createBase58check(sha256);

/** A new token. It is returned once and not stored. */
export function newMachineToken(): string {
  return MACHINE_TOKEN_PREFIX + base58check.encode(crypto.getRandomValues(new Uint8Array(BYTES)));
}

/**
 * Whether a text has the form of a token. Because of the checksum, a mistyped or incomplete token is rejected without a
 * database call, and secret scanners find leaked tokens without false positives.
 */
export function isMachineToken(text: string): boolean {
  if (!text.startsWith(MACHINE_TOKEN_PREFIX) || text.length > MAX_LENGTH) return false;
  try {
    return base58check.decode(text.slice(MACHINE_TOKEN_PREFIX.length)).length === BYTES;
  } catch {
    return false;
  }
}

/** The SHA-256 in hex, which the database stores. A token has 256 random bits, so it needs no salt and no slow hash. */
export function hashOfMachineToken(token: string): string {
  return bytesToHex(sha256(utf8ToBytes(token)));
}
