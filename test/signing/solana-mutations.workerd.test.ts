/** Changed bytes never throw another error, and what is signed is never more or less than Kit decodes from it. */
import { base58, base64 } from '@scure/base';
import { getBase64EncodedWireTransaction, getBase64Encoder, type Instruction } from '@solana/kit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newSolanaKey } from '../support/private-keys.ts';
import {
  compiled,
  decodedByKit,
  newAddress,
  readonly,
  readonlySigner,
  SYSTEM,
  transfer,
  writable,
} from '../support/solana.ts';
import { refusalOf } from './signed.ts';

const key = newSolanaKey();
const other = newAddress();
const program: Instruction = {
  programAddress: newAddress(),
  accounts: [readonlySigner(newAddress()), writable(other), readonly(newAddress())],
  data: Uint8Array.of(1, 2, 3),
};
const list = [transfer(key.address, newAddress(), 5), program, transfer(key.address, other, 6)];
const config = { priorityFeeLamports: 77n, computeUnitLimit: 9, heapSize: 65_536 };
const bases = (['legacy', 0, 1] as const)
  .flatMap((version) => [
    compiled(key.address, list, { version, config }),
    ...(version === 0 ? [compiled(key.address, list, { version, lookedUp: [other] })] : []),
  ])
  .flatMap((made) => [
    Uint8Array.from(made.messageBytes),
    Uint8Array.from(getBase64Encoder().encode(getBase64EncodedWireTransaction(made))),
  ]);

const changes = fc.array(
  fc.oneof(
    fc.record({ at: fc.nat(400), value: fc.nat(255) }),
    fc.record({ at: fc.nat(400), insert: fc.uint8Array({ maxLength: 64 }) }),
    fc.record({ at: fc.nat(400), remove: fc.nat(64) }),
    // The beginning decides the version and the counts.
    fc.record({ at: fc.nat(8), value: fc.constantFrom(0, 1, 2, 3, 0x7f, 0x80, 0x81, 0x82, 0xff) }),
  ),
  { minLength: 1, maxLength: 3 },
);

type Change = { at: number; value?: number; insert?: Uint8Array; remove?: number };
function change(bytes: Uint8Array, { at, value, insert = new Uint8Array(), remove = 0 }: Change): Uint8Array {
  if (value === undefined)
    return Uint8Array.from([...bytes.slice(0, at), ...insert, ...bytes.slice(at + remove)]);
  return bytes.map((byte, i) => (i === at ? value : byte));
}

it('a changed message or transaction is rejected, or is what Kit decodes', () => {
  let accepted = 0;
  const property = fc.property(fc.constantFrom(...bases), changes, (base, list) => {
    const bytes = (list as Change[]).reduce(change, base);
    const outcome = refusalOf({ type: 'solana.transaction', message: base64.encode(bytes) });
    if (typeof outcome === 'string') {
      expect(outcome).toBe('transaction_malformed');
      return;
    }
    accepted += 1;
    const { payload, signers, recipients, value, fee } = outcome;
    // Version 1 begins with its message, and a transaction of another version ends with it.
    const ends = [bytes.slice(0, payload.length), bytes.slice(-payload.length)];
    expect(ends.map((end) => base64.encode(end))).toContain(base64.encode(payload));
    const decoded = decodedByKit(payload);
    // The created accounts of CreateAccount do not sign.
    expect(decoded.signers).toEqual(expect.arrayContaining([...(signers ?? [])]));
    expect(recipients).toEqual(expect.arrayContaining(decoded.programs));
    if (!outcome.opaque) expect(value).toBeGreaterThanOrEqual(decoded.transferred);
    if (decoded.version === 1)
      expect(fee).toBe(BigInt(decoded.signers.length) * 5_000n + decoded.priorityFee);
  });
  fc.assert(property, { numRuns: 2_000 });
  // Otherwise nothing was compared.
  expect(accepted).toBeGreaterThan(100);
});

it('the messages themselves are what Kit decodes', () => {
  for (const base of bases) {
    const outcome = refusalOf({ type: 'solana.transaction', message: base64.encode(base) });
    if (typeof outcome === 'string') throw new TypeError(outcome);
    const decoded = decodedByKit(outcome.payload);
    expect(decoded).toMatchObject({ signers: outcome.signers, transferred: outcome.value });
    expect(outcome.value).toBe(11n);
    expect(outcome.recipients).toEqual(expect.arrayContaining([SYSTEM, program.programAddress]));
  }
});

it('any bytes are rejected or parsed, and any text is', () => {
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: 120 }).map((bytes) => base64.encode(bytes)),
    fc.uint8Array({ maxLength: 120 }).map((bytes) => base58.encode(bytes)),
    fc.string({ maxLength: 120 }),
    fc.string({ unit: 'binary', maxLength: 120 }),
  );
  fc.assert(
    fc.property(texts, (message) => {
      expect(refusalOf({ type: 'solana.transaction', message })).toBe('transaction_malformed');
    }),
    { numRuns: 300 },
  );
});
