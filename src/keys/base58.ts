import { base58 } from '@scure/base';

/** Base58 text of 64 bytes has at most 88 characters. */
const MAX_LENGTH = 88;

/**
 * The bytes of base58 text (Bitcoin's alphabet, no checksum, as Solana writes keys and addresses), or undefined
 * if it is not base58, or is longer than 64 bytes need: decoding takes time quadratic in the length, so a body full
 * of it would otherwise buy a stalled isolate.
 */
export function decodeBase58(text: string): Uint8Array | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  try {
    return base58.decode(text);
  } catch {
    return undefined; // without the cause, which quotes the text
  }
}
