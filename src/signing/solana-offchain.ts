import { base58 } from '@scure/base';
import { SigningInputError } from './input-error.ts';
import { OFFCHAIN_BYTES } from './solana-shape.ts';

const ADDRESS_BYTES = 32;

/** The most bytes of a text in the formats 0 and 1 of version 0, which hardware wallets can sign. */
const MAX_SHORT_BYTES = 1232;

/**
 * Parses an off-chain message of version 0 or 1, as `@solana/offchain-messages` of Kit encodes it, and returns the addresses
 * that have to sign it. After the domain and the version, version 0 has the domain of the application, the format of the
 * text, the signers and the length of the text. Version 1 has the signers, in order.
 *
 * @throws {SigningInputError} `message_malformed`
 */
export function signersOfOffchain(bytes: Uint8Array): readonly string[] {
  const version = bytes[OFFCHAIN_BYTES];
  if (version !== 0 && version !== 1)
    throw malformed('is an off-chain message of a version that is not 0 or 1');
  const formatAt = OFFCHAIN_BYTES + 1 + ADDRESS_BYTES;
  const countAt = version === 0 ? formatAt + 1 : OFFCHAIN_BYTES + 1;
  const count = bytes[countAt] ?? 0;
  const signersEnd = countAt + 1 + count * ADDRESS_BYTES;
  const textAt = signersEnd + (version === 0 ? 2 : 0);
  if (count === 0 || bytes.length <= textAt)
    throw malformed('is an off-chain message without signers or text');
  const signers = Array.from({ length: count }, (_, i) =>
    bytes.subarray(countAt + 1 + i * ADDRESS_BYTES, countAt + 1 + (i + 1) * ADDRESS_BYTES),
  );
  if (version === 1 && !signers.every((signer, i) => i === 0 || isBefore(signers[i - 1], signer)))
    throw malformed('is an off-chain message whose signers are not in the order of their bytes');
  const text = bytes.subarray(textAt);
  if (version === 0) checkText(bytes[formatAt] ?? 0, text, readLength(bytes.subarray(signersEnd, textAt)));
  if (!isUtf8(text)) throw malformed('is an off-chain message whose text is not UTF-8');
  return signers.map((signer) => base58.encode(signer));
}

const readLength = ([low = 0, high = 0]: Uint8Array) => low + high * 256;

function checkText(format: number, text: Uint8Array, length: number): void {
  if (length !== text.length) throw malformed('is an off-chain message whose length is not that of its text');
  if (format > 2) throw malformed('is an off-chain message of a format that is not 0, 1 or 2');
  if (format < 2 && length > MAX_SHORT_BYTES)
    throw malformed('is an off-chain message of format 0 or 1 with more than 1232 bytes of text');
  if (format === 0 && !text.every((byte) => byte >= 0x20 && byte <= 0x7e))
    throw malformed('is an off-chain message of format 0 with a byte that is not printable ASCII');
}

function isBefore(before: Uint8Array = new Uint8Array(), after: Uint8Array): boolean {
  const at = before.findIndex((byte, i) => byte !== after[i]);
  return at >= 0 && (before[at] ?? 0) < (after[at] ?? 0);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function malformed(detail: string): SigningInputError {
  return new SigningInputError('message_malformed', 'base64', detail);
}
