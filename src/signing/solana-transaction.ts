import { base58, base64 } from '@scure/base';
import { isSignedBy } from '../keys/index.ts';
import { SigningInputError } from './input-error.ts';
import type { Signing } from './signing.ts';
import { base64Length, decodeBase64, otherFormOf } from './solana-base64.ts';
import { highestFee } from './solana-fee.ts';
import { evaluateInstructions } from './solana-instructions.ts';
import { MAX_TRANSACTION_BYTES, SIGNATURE_BYTES } from './solana-message-parts.ts';
import { malformed } from './solana-reader.ts';
import { afterSignatures, couldBeTransactionMessage } from './solana-shape.ts';
import { readTransactionMessage, type SolanaMessage } from './solana-transaction-message.ts';

/** A message, its bytes, and the signatures that came with it, in the order of the signers. */
interface Transaction {
  readonly message: SolanaMessage;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly signatures: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * A Solana transaction message in base64: legacy, version 0 or 1. A whole transaction with its signatures is accepted too,
 * and its message is signed. All bytes are parsed, so that only a transaction is ever signed.
 *
 * @throws {SigningInputError} `transaction_malformed`
 */
export function readSolanaTransaction(text: string): Signing {
  const transaction = explained(text, () => {
    const bytes = text.length > base64Length(MAX_TRANSACTION_BYTES) ? undefined : decodeBase64(text);
    if (!bytes) throw malformed('must be base64 of at most 4096 bytes');
    return readTransaction(bytes);
  });
  const { message, bytes } = transaction;
  const signers = signersOf(message);
  const { created, ...effects } = evaluateInstructions(message);
  return {
    kind: 'solana.transaction',
    chain: 'solana',
    ...effects,
    fee: highestFee(message),
    // A wallet never signs as an account that is created, because that would give its account to a program.
    signers: signers.filter((key) => !created.includes(key)),
    payload: bytes,
    finish: async (signature, address) => {
      const signed = await assemble(transaction, signature, address);
      return {
        signature: base58.encode(signature),
        ...(signed && { signed_transaction: base64.encode(signed) }),
      };
    },
  };
}

const signersOf = ({ keys, signers }: SolanaMessage) => keys.slice(0, signers);

/** If the text has another form than base64, the error names this form. */
function explained<Value>(text: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    const form = error instanceof SigningInputError ? otherFormOf(text) : undefined;
    if (form === undefined) throw error;
    throw malformed(`${form}: send the bytes of the message, or of the whole transaction, in base64`);
  }
}

/** Version 1 has its signatures after the message. Before a message of another version are their number and they themselves. */
function readTransaction(bytes: Uint8Array<ArrayBuffer>): Transaction {
  const rest = afterSignatures(bytes);
  if (!rest) return readMessageFirst(bytes);
  const whole = attempt(() => readSignaturesFirst(bytes, rest));
  // Without this shape, the bytes can only be a transaction, and its error is the one that helps.
  const alone = couldBeTransactionMessage(bytes) ? attempt(() => readMessageFirst(bytes)) : whole;
  if (whole instanceof SigningInputError) {
    if (alone instanceof SigningInputError) throw whole;
    return alone;
  }
  if (alone === whole || alone instanceof SigningInputError) return whole;
  throw malformed('can be read as a message and as a whole transaction, so it is not clear what to sign');
}

function readMessageFirst(bytes: Uint8Array<ArrayBuffer>): Transaction {
  const message = readTransactionMessage(bytes);
  const after = bytes.subarray(message.length);
  const signatures = after.length === 0 ? [] : split(after);
  if (signatures.length > 0 && (message.version !== 1 || signatures.length !== message.signers))
    throw malformed('has bytes after its end');
  return { message, bytes: bytes.subarray(0, message.length), signatures };
}

function readSignaturesFirst(bytes: Uint8Array<ArrayBuffer>, rest: Uint8Array<ArrayBuffer>): Transaction {
  const message = readTransactionMessage(rest);
  const signatures = split(bytes.subarray(1, bytes.length - rest.length));
  if (message.length !== rest.length)
    throw malformed('the message of the transaction has bytes after its end');
  if (message.version === 1) throw malformed('in version 1, the signatures are after the message');
  if (signatures.length !== message.signers)
    throw malformed('the transaction does not have one signature, or zeros in its place, for every signer');
  return { message, bytes: rest, signatures };
}

function split(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  if (bytes.length % SIGNATURE_BYTES !== 0) throw malformed('has bytes after its end');
  return Array.from({ length: bytes.length / SIGNATURE_BYTES }, (_, i) =>
    bytes.subarray(i * SIGNATURE_BYTES, (i + 1) * SIGNATURE_BYTES),
  );
}

function attempt(read: () => Transaction): Transaction | SigningInputError {
  try {
    return read();
  } catch (error) {
    if (error instanceof SigningInputError) return error;
    throw error;
  }
}

/** The signed transaction, if every other signer has signed these bytes already. What a caller sent is verified first. */
async function assemble(
  { message, bytes, signatures }: Transaction,
  signature: Uint8Array,
  address: string,
): Promise<Uint8Array | undefined> {
  const slots: Uint8Array[] = [];
  for (const [i, key] of signersOf(message).entries()) {
    const given = signatures[i];
    if (key === address) slots.push(signature);
    else if (given && (await isSignedBy(key, bytes, given))) slots.push(given);
    else return undefined;
  }
  const all = slots.flatMap((slot) => [...slot]);
  return Uint8Array.from(message.version === 1 ? [...bytes, ...all] : [slots.length, ...all, ...bytes]);
}
