import { base58 } from '@scure/base';

/** Base58 text of 64 bytes has at most 88 characters. */
const MAX_LENGTH = 88;

/**
 * Decodes base58 (Bitcoin's alphabet without a checksum, as Solana writes keys and addresses). Returns undefined if the text
 * is not base58 or is too long for 64 bytes. Decoding takes quadratic time, so without this limit a large body could stall
 * the isolate.
 */
export function decodeBase58(text: string): Uint8Array | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  try {
    return base58.decode(text);
  } catch {
    return undefined; // without the cause, which quotes the text
  }
}
