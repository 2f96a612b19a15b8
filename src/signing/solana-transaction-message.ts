import { readLegacyOr0 } from './solana-legacy.ts';
import {
  MAX_PACKET_BYTES,
  MAX_TRANSACTION_BYTES,
  SIGNATURE_BYTES,
  type TransactionConfig,
  VERSION_0,
  VERSION_1,
} from './solana-message-parts.ts';
import { malformed, SolanaReader } from './solana-reader.ts';
import { readVersion1 } from './solana-version-1.ts';

export interface SolanaInstruction {
  readonly program: string;
  /** Indexes into all accounts of the message: first `keys`, then the accounts of lookup tables. */
  readonly accounts: readonly number[];
  readonly data: Uint8Array;
}

export interface SolanaMessage {
  readonly version: 'legacy' | 0 | 1;
  /** The addresses in the message. The first one is the fee payer and signs. */
  readonly keys: readonly string[];
  /** The first `signers` keys sign. The first `writableSigners` of them are writable. */
  readonly signers: number;
  readonly writableSigners: number;
  /** Only version 1 has values in it. */
  readonly config: TransactionConfig;
  readonly instructions: readonly SolanaInstruction[];
  /** The number of bytes of the message. Version 1 has its signatures after them. */
  readonly length: number;
}

/**
 * Parses the transaction message that the bytes begin with: legacy, version 0 or 1. It makes the checks that validators make
 * when they sanitize a message: numbers have their shortest encoding, and every index is in range. What follows the message
 * is for the caller to check.
 *
 * @throws {SigningInputError} `transaction_malformed`
 */
export function readTransactionMessage(bytes: Uint8Array<ArrayBuffer>): SolanaMessage {
  const reader = new SolanaReader(bytes);
  const version = versionOf(bytes);
  if (version !== 'legacy') reader.byte();
  const { header, keys, config, instructions, lookedUp } =
    version === 1 ? readVersion1(reader) : readLegacyOr0(reader, version);
  const [signers, readonlySigners, readonlyOthers] = header;
  if (signers > keys.length || readonlySigners >= signers || signers + readonlyOthers > keys.length) {
    throw malformed('the header does not match the number of accounts');
  }
  if (new Set(keys).size < keys.length) throw malformed('an account is listed twice');
  const length = reader.offset;
  const size = signers * SIGNATURE_BYTES + length + (version === 1 ? 0 : 1);
  if (size > (version === 1 ? MAX_TRANSACTION_BYTES : MAX_PACKET_BYTES))
    throw malformed(
      'is too long: with its signatures, a transaction has at most 1232 bytes, and 4096 in version 1',
    );
  const accounts = keys.length + lookedUp;
  if (accounts > 256) throw malformed('has too many accounts');
  for (const { program, accounts: indexes } of instructions) {
    // A program id must be in the message itself, and it must not be the fee payer.
    if (program === 0 || program >= keys.length || indexes.some((index) => index >= accounts)) {
      throw malformed('an instruction has an account index that is out of range');
    }
  }
  return {
    version,
    keys,
    signers,
    writableSigners: signers - readonlySigners,
    config,
    instructions: instructions.map((instruction) => ({
      ...instruction,
      program: keys[instruction.program] ?? '',
    })),
    length,
  };
}

function versionOf(bytes: Uint8Array): SolanaMessage['version'] {
  const [first = 0] = bytes;
  if (first < VERSION_0) return 'legacy';
  if (first === VERSION_0) return 0;
  if (first === VERSION_1) return 1;
  throw malformed('must be a legacy message, or one of version 0 or 1');
}
