import { ed25519 } from '@noble/curves/ed25519.js';
import { base58 } from '@scure/base';
import { decodeBase58 } from './base58.ts';
import { KeyInputError } from './input-error.ts';
import { wipe } from './wipe.ts';

const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const KEYPAIR_BYTES = SEED_BYTES + PUBLIC_KEY_BYTES;

/** Longest text taken for a JSON array of 64 bytes: leaves room for any indentation, none for a large body. */
const MAX_JSON_LENGTH = 4096;

/**
 * The Ed25519 seed (RFC 8032, section 5.1.5) in one of the forms Solana wallets export: base58 of seed and
 * public key (64 bytes), base58 of the seed (32 bytes), or the array of 64 numbers that `solana-keygen` writes,
 * as an array or as its JSON text. Undefined when the input is of another form.
 *
 * An address is base58 of 32 bytes too and cannot be told from a seed: only a given address, which then differs
 * from the derived one, shows that somebody pasted the wrong field.
 *
 * @throws {KeyInputError} `private_key_malformed`, `private_key_wrong_length` or
 *   `private_key_halves_mismatch`
 */
export function readSolanaSecret(input: string | readonly number[]): Uint8Array | undefined {
  if (typeof input !== 'string') return seedOfKeypair(bytesOf(input));
  if (/^\s*\[/.test(input)) return seedOfKeypair(bytesOf(parseJson(input)));
  const bytes = decodeBase58(input);
  if (bytes?.length === SEED_BYTES) return bytes;
  if (bytes?.length === KEYPAIR_BYTES) return seedOfKeypair(bytes);
  if (bytes) wipe(bytes);
  return undefined;
}

/** The base58 address, that is the public key, of a seed. */
export function solanaAddressOf(seed: Uint8Array): string {
  return base58.encode(ed25519.getPublicKey(seed));
}

/** A Solana address as it is, since base58 has one text for the same bytes; undefined for another form. */
export function canonicalSolanaAddress(text: string): string | undefined {
  return decodeBase58(text)?.length === PUBLIC_KEY_BYTES ? text : undefined;
}

function parseJson(text: string): unknown {
  if (text.length > MAX_JSON_LENGTH) throw new KeyInputError('private_key_malformed');
  try {
    return JSON.parse(text);
  } catch {
    throw new KeyInputError('private_key_malformed'); // without the cause, which quotes the text
  }
}

/** The bytes of an array of 64 integers from 0 to 255. Checked by index: `every` would skip a hole. */
function bytesOf(values: unknown): Uint8Array {
  if (!Array.isArray(values)) throw new KeyInputError('private_key_malformed');
  if (values.length !== KEYPAIR_BYTES) throw new KeyInputError('private_key_wrong_length');
  const bytes = new Uint8Array(KEYPAIR_BYTES);
  for (let i = 0; i < KEYPAIR_BYTES; i++) {
    const value: unknown = values[i];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 255) {
      wipe(bytes);
      throw new KeyInputError('private_key_malformed');
    }
    bytes[i] = value;
  }
  return bytes;
}

/** The first half of a key pair whose second half is truly its public key; the pair itself is wiped. */
function seedOfKeypair(keypair: Uint8Array): Uint8Array {
  const seed = keypair.slice(0, SEED_BYTES);
  const derived = ed25519.getPublicKey(seed);
  // Public keys, so comparing them needs no constant time. Signing with a half that is not the seed's own
  // would give away the private key.
  const matches = derived.every((byte, i) => byte === keypair[SEED_BYTES + i]);
  wipe(keypair);
  if (matches) return seed;
  wipe(seed);
  throw new KeyInputError('private_key_halves_mismatch');
}
