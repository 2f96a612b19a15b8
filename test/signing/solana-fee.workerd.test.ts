/** The fee of messages that have it in instructions. `test/chains/solana` compares it with the fee that the runtime takes. */
import type { Instruction } from '@solana/kit';
import { expect, it } from 'vitest';
import { newSolanaKey } from '../support/private-keys.ts';
import {
  COMPUTE_BUDGET,
  compiled,
  messageOf,
  newAddress,
  packed,
  readonlySigner,
} from '../support/solana.ts';
import { refusalOf } from './signed.ts';

const key = newSolanaKey();
const budget = (data: Uint8Array): Instruction => ({ programAddress: COMPUTE_BUDGET, data });
const limit = (units: number) => budget(packed([1, 2], [4, units]));
const price = (microlamports: bigint) => budget(packed([1, 3], [8, microlamports]));
const program = (accounts: Instruction['accounts'] = []): Instruction => ({
  programAddress: newAddress(),
  accounts,
});
const verifier = (programAddress: string, signatures: number): Instruction => ({
  programAddress: programAddress as Instruction['programAddress'],
  data: Uint8Array.of(signatures),
});

it.each<[string, Instruction[], bigint]>([
  ['one signer', [], 5_000n],
  ['a price without a limit of units -> 200,000 of them an instruction', [price(10n), program()], 5_004n],
  ['a limit without a price', [limit(1_000_000)], 5_000n],
  ['a price and a limit, rounded up', [limit(300_001), price(10n)], 5_004n],
  ['a limit above that of the network', [limit(2 ** 32 - 1), price(1_000_000n)], 1_405_000n],
  ['many instructions without a limit', Array.from({ length: 8 }, () => price(1_000_000n)), 1_405_000n],
  ['an instruction without its number', [budget(Uint8Array.of(3)), budget(Uint8Array.of(2))], 5_000n],
  ['no data', [budget(new Uint8Array())], 5_000n],
  ['three signers', [program([readonlySigner(newAddress()), readonlySigner(newAddress())])], 15_000n],
  [
    'a program that verifies 3 signatures',
    [verifier('Ed25519SigVerify111111111111111111111111111', 3)],
    20_000n,
  ],
  ['no signature to verify', [verifier('KeccakSecp256k11111111111111111111111111111', 0)], 5_000n],
])('%s', (_, list, fee) => {
  for (const version of ['legacy', 0] as const) {
    const message = messageOf(compiled(key.address, list, { version }));
    expect(refusalOf({ type: 'solana.transaction', message })).toMatchObject({ fee });
  }
});

it('the Compute Budget program has no effect on the fee of version 1', () => {
  const message = messageOf(
    compiled(key.address, [limit(1_000_000), price(1_000_000n)], {
      version: 1,
      config: { priorityFeeLamports: 3n },
    }),
  );
  expect(refusalOf({ type: 'solana.transaction', message })).toMatchObject({ fee: 5_003n });
});
