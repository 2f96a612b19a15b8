/** Opens Fernet tokens (github.com/fernet/spec, version 0x80). The old backend stored keys in this form. */
import { cbc } from '@noble/ciphers/aes.js';
import { equalBytes } from '@noble/ciphers/utils.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { base64url } from '@scure/base';
import { wipe } from '../../src/keys/index.ts';

const VERSION = 0x80;
/** The offsets of the parts: version, timestamp (8 bytes, seconds), IV (16), ciphertext, HMAC (32). */
const TIMESTAMP_AT = 1;
const IV_AT = 9;
const CIPHERTEXT_AT = 25;
const MAC_BYTES = 32;
const BLOCK_BYTES = 16;
/** The clock skew that the specification allows. */
const MAX_CLOCK_SKEW_SECONDS = 60;
/** Base64url of 32 bytes, padded and canonical. */
const KEY = /^[\w-]{42}[AEIMQUYcgkosw048]=$/;

/** A signing key and an encryption key of 16 bytes each. */
export interface FernetKey {
  readonly signing: Uint8Array;
  readonly encryption: Uint8Array;
}

export type FernetReason =
  | 'token_malformed'
  | 'token_not_authentic'
  | 'token_version_unknown'
  | 'token_from_the_future'
  | 'token_padding_wrong';

/**
 * The reason why a token does not open. Different reasons do not create an oracle: only a token that was made with the key gets
 * another reason than the first two, and only the operator submits tokens.
 */
export class FernetError extends Error {
  override readonly name = 'FernetError';
  readonly reason: FernetReason;

  constructor(reason: FernetReason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Reads a Fernet key, or several separated by commas, like MultiFernet. Any of them may have made a token.
 *
 * @throws {TypeError} if an entry is not a key; the message contains no part of it
 */
export function readFernetKeys(setting: string): FernetKey[] {
  return setting.split(',').map((entry) => {
    const text = entry.trim();
    if (!KEY.test(text)) throw new TypeError('a Fernet key is base64url of 32 bytes, with its padding');
    const bytes = base64url.decode(text);
    return { signing: bytes.subarray(0, 16), encryption: bytes.subarray(16) };
  });
}

/**
 * Returns the message of a token. The caller must wipe it. The MAC is verified before anything else is trusted, so that
 * no byte of an attacker is ever decrypted. A stored token does not expire, but a token from the future is rejected.
 *
 * @param now seconds since the epoch
 * @throws {FernetError}
 */
export function openFernet(token: string, keys: readonly FernetKey[], now = Date.now() / 1000): Uint8Array {
  const bytes = decode(token);
  const macAt = bytes.length - MAC_BYTES;
  const signed = bytes.subarray(0, macAt);
  const key = keys.find(({ signing }) => equalBytes(hmac(sha256, signing, signed), bytes.subarray(macAt)));
  if (!key) throw new FernetError('token_not_authentic');
  if (bytes[0] !== VERSION) throw new FernetError('token_version_unknown');
  const madeAt = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(TIMESTAMP_AT);
  if (Number(madeAt) > now + MAX_CLOCK_SKEW_SECONDS) throw new FernetError('token_from_the_future');
  return decrypt(bytes.subarray(CIPHERTEXT_AT, macAt), key.encryption, bytes.subarray(IV_AT, CIPHERTEXT_AT));
}

/** Returns the bytes of a token, after checking that it has all parts. */
function decode(token: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = base64url.decode(token);
  } catch {
    throw new FernetError('token_malformed'); // without the cause, which quotes the text
  }
  const ciphertextBytes = bytes.length - CIPHERTEXT_AT - MAC_BYTES;
  // A ciphertext has at least one block, because padding is always added.
  if (ciphertextBytes < BLOCK_BYTES || ciphertextBytes % BLOCK_BYTES !== 0) {
    throw new FernetError('token_malformed');
  }
  return bytes;
}

/** AES-128-CBC; noble checks every byte of the PKCS #7 padding. */
function decrypt(ciphertext: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array {
  const plaintext = new Uint8Array(ciphertext.length);
  try {
    return cbc(key, iv).decrypt(ciphertext, plaintext);
  } catch {
    wipe(plaintext);
    throw new FernetError('token_padding_wrong');
  }
}
