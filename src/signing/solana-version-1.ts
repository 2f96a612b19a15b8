import type { MessageParts, TransactionConfig } from './solana-message-parts.ts';
import { malformed, type SolanaReader } from './solana-reader.ts';

/** The limits of SIMD-0385. */
const MAX_SIGNERS = 12;
const MAX_ACCOUNTS = 64;
const MAX_INSTRUCTIONS = 64;
const KIB = 1024;
const [MIN_HEAP, MAX_HEAP] = [32 * KIB, 256 * KIB];

/** The bits of the mask: each one stands for four bytes of the values that follow the accounts. */
const PRIORITY_FEE = 0b11;
const COMPUTE_UNIT_LIMIT = 0b100;
const LOADED_ACCOUNTS_SIZE = 0b1000;
const HEAP_SIZE = 0b10000;
const KNOWN = PRIORITY_FEE | COMPUTE_UNIT_LIMIT | LOADED_ACCOUNTS_SIZE | HEAP_SIZE;

/** A message of version 1 (SIMD-0385) after its first byte. It has no lookup tables. */
export function readVersion1(reader: SolanaReader): MessageParts {
  const header = reader.header();
  const mask = reader.number(4);
  reader.bytes(32); // recent blockhash or nonce
  const [instructionCount, accountCount] = [reader.byte(), reader.byte()];
  if (header[0] > MAX_SIGNERS || accountCount > MAX_ACCOUNTS || instructionCount > MAX_INSTRUCTIONS) {
    throw malformed('version 1 has at most 12 signatures, 64 accounts and 64 instructions');
  }
  const keys = reader.items(accountCount, () => reader.address());
  const config = readConfig(mask, reader);
  const heads = reader.items(instructionCount, () => ({
    program: reader.byte(),
    accounts: reader.byte(),
    data: reader.number(2),
  }));
  const instructions = heads.map(({ program, accounts, data }) => ({
    program,
    accounts: [...reader.bytes(accounts)],
    data: reader.bytes(data),
  }));
  return { header, keys, config, instructions, lookedUp: 0 };
}

/** An unknown bit could stand for another fee, so it is rejected. */
function readConfig(mask: number, reader: SolanaReader): TransactionConfig {
  // `>>> 0`, because the result of `&` has a sign.
  if ((mask & ~KNOWN) >>> 0 !== 0) throw malformed('the config of version 1 has a value that is not known');
  const priority = mask & PRIORITY_FEE;
  if (priority !== 0 && priority !== PRIORITY_FEE)
    throw malformed('the config of version 1 has half of a priority fee');
  const config = {
    ...(priority && { priorityFee: reader.uint64() }),
    ...(mask & COMPUTE_UNIT_LIMIT && { computeUnitLimit: reader.number(4) }),
    ...(mask & LOADED_ACCOUNTS_SIZE && { loadedAccountsSize: reader.number(4) }),
    ...(mask & HEAP_SIZE && { heapSize: reader.number(4) }),
  };
  const { heapSize = MIN_HEAP } = config;
  if (heapSize < MIN_HEAP || heapSize > MAX_HEAP || heapSize % KIB !== 0)
    throw malformed('the heap size of version 1 must be a multiple of 1024 from 32768 to 262144');
  return config;
}
