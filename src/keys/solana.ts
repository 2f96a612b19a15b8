import { ed25519 } from '@noble/curves/ed25519.js';
import { base58 } from '@scure/base';
import { decodeBase58 } from './base58.ts';
import { KeyInputError } from './input-error.ts';
import { wipe } from './wipe.ts';

const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const KEYPAIR_BYTES = SEED_BYTES + PUBLIC_KEY_BYTES;

/** A JSON array of 64 bytes fits with any usual indentation. Longer texts are not parsed. */
const MAX_JSON_LENGTH = 4096;

/**
 * Parses the Ed25519 seed (RFC 8032, section 5.1.5) from the forms that Solana wallets export: base58 of the seed and the
 * public key (64 bytes), base58 of the seed (32 bytes), or the array of 64 numbers that `solana-keygen` writes, as an array
 * or as JSON text. Returns undefined if the input has another form.
 *
 * An address is base58 of 32 bytes too, so it has the form of a seed. If the caller pasted an address by mistake, only a
 * given `address` reveals it, because the derived address differs.
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

/** The address of a seed: the public key in base58. */
export function solanaAddressOf(seed: Uint8Array): string {
  return base58.encode(ed25519.getPublicKey(seed));
}

/** Returns a Solana address unchanged, because base58 is canonical. Returns undefined if the text has another form. */
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

/** The bytes of an array of 64 integers from 0 to 255. Checked by index, because `every` skips holes. */
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

/** The first half of a key pair, after checking that the second half is its public key. The pair is wiped. */
function seedOfKeypair(keypair: Uint8Array): Uint8Array {
  const seed = keypair.slice(0, SEED_BYTES);
  const derived = ed25519.getPublicKey(seed);
  // Public keys need no constant-time comparison. A signature with a public key that is not of this seed would reveal the
  // private key.
  const matches = derived.every((byte, i) => byte === keypair[SEED_BYTES + i]);
  wipe(keypair);
  if (matches) return seed;
  wipe(seed);
  throw new KeyInputError('private_key_halves_mismatch');
}
