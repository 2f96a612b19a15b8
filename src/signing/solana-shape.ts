import { SIGNATURE_BYTES, VERSION_0, VERSION_1 } from './solana-message-parts.ts';

/** A header, one account, the blockhash, and the number of instructions. */
const SHORTEST_MESSAGE = 3 + 1 + 32 + 32 + 1;

/**
 * No legacy transaction has more than 12 signers: 12 signatures and accounts fill a packet. The limit here is higher, and still
 * lower than 0x20, so that a text never looks like a transaction if it begins with a printable character of ASCII.
 */
const MAX_SIGNERS = 0x1f;

/** `\xffsolana offchain`, which begins every off-chain message. As a version of transactions, 0xff is not in use. */
const OFFCHAIN = Uint8Array.of(0xff, ...[...'solana offchain'].map((character) => character.charCodeAt(0)));

export function isOffchain(bytes: Uint8Array): boolean {
  return OFFCHAIN.every((byte, i) => bytes[i] === byte);
}

/** An off-chain message after the number of its signatures and the signatures. */
export function isOffchainEnvelope(bytes: Uint8Array): boolean {
  return isOffchain(bytes.subarray(1 + (bytes[0] ?? 0) * SIGNATURE_BYTES));
}

export const OFFCHAIN_BYTES = OFFCHAIN.length;

/**
 * Whether bytes could be a transaction message now or in the future. The test is wider than the parser: it looks only at the
 * beginning, so that no rule of a network that is less strict makes a transaction of bytes that were signed as a message.
 *
 * A byte of 0x80 or more is a version. A legacy message begins with the number of signers, of those that are readonly,
 * which are fewer, of other readonly accounts, and of accounts, which are not fewer than the signers. It may be of any size.
 */
export function couldBeTransactionMessage(bytes: Uint8Array): boolean {
  const [signers = 0, readonlySigners = 0] = bytes;
  if (signers >= VERSION_0) return true;
  const accounts = accountsOf(bytes);
  const shortest = SHORTEST_MESSAGE + (accounts - 1) * 32;
  return (
    signers <= MAX_SIGNERS && readonlySigners < signers && signers <= accounts && bytes.length >= shortest
  );
}

/** What follows the signatures in a transaction that begins with their number, if it has the shape of its message. */
export function afterSignatures(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const [count = 0] = bytes;
  if (count >= VERSION_0) return undefined;
  const rest = bytes.subarray(1 + count * SIGNATURE_BYTES);
  const [first = 0, second = 0, third = 0] = rest;
  const isVersioned = first === VERSION_0 || first === VERSION_1;
  const signers = isVersioned ? second : first;
  // Without any signature, a transaction is malformed, and it is still not a message.
  if (count > 0 && signers !== count) return undefined;
  const hasShape = isVersioned
    ? third < signers && rest.length > SHORTEST_MESSAGE
    : first < VERSION_0 && couldBeTransactionMessage(rest);
  return hasShape ? rest : undefined;
}

/** A compact-u16, also one that is not in its shortest form. */
function accountsOf(bytes: Uint8Array): number {
  const [, , , low = 0, middle = 0, high = 0] = bytes;
  if (low < 0x80) return low;
  return (low & 0x7f) | ((middle & 0x7f) << 7) | (middle < 0x80 ? 0 : high << 14);
}
