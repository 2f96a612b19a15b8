import type { MessageParts } from './solana-message-parts.ts';
import { malformed, type SolanaReader } from './solana-reader.ts';

/** A legacy message, or one of version 0 after its first byte. */
export function readLegacyOr0(reader: SolanaReader, version: 'legacy' | 0): MessageParts {
  const header = reader.header();
  const keys = reader.list(() => reader.address());
  reader.bytes(32); // recent blockhash or nonce
  const instructions = reader.list(() => ({
    program: reader.byte(),
    accounts: reader.list(() => reader.byte()),
    data: reader.bytes(reader.length()),
  }));
  return { header, keys, config: {}, instructions, lookedUp: version === 0 ? readLookups(reader) : 0 };
}

/** The number of accounts from address lookup tables. Their addresses are only on the network. */
function readLookups(reader: SolanaReader): number {
  const lookups = reader.list(() => {
    reader.bytes(32); // the table
    return reader.bytes(reader.length()).length + reader.bytes(reader.length()).length;
  });
  if (lookups.includes(0)) throw malformed('an address lookup table has no indexes');
  return lookups.reduce((total, count) => total + count, 0);
}
