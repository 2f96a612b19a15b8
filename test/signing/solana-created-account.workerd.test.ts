import { base58, base64 } from '@scure/base';
import { expect, it } from 'vitest';
import { readSolanaTransaction } from '../../src/signing/solana-transaction.ts';

const account = () => crypto.getRandomValues(new Uint8Array(32));
const SYSTEM = new Uint8Array(32);

/** One System instruction of a payer and another signer. */
function message(payer: Uint8Array, other: Uint8Array, data: readonly number[]): string {
  const instruction = [2, 2, 0, 1, data.length, ...data];
  const header = [2, 0, 1, 3, ...payer, ...other, ...SYSTEM, ...account()];
  return base64.encode(Uint8Array.from([...header, 1, ...instruction]));
}

it('CreateAccount is not signed for the account that it creates and assigns to a program', () => {
  const [payer, other] = [account(), account()];
  const createAccount = [0, 0, 0, 0, ...new Uint8Array(16), ...account()];
  const { signers } = readSolanaTransaction(message(payer, other, createAccount));
  expect(signers).toEqual([base58.encode(payer)]);
});

it('Transfer is signed for both of its signers', () => {
  const [payer, other] = [account(), account()];
  const { signers } = readSolanaTransaction(message(payer, other, [2, 0, 0, 0, ...new Uint8Array(8)]));
  expect(signers).toEqual([base58.encode(payer), base58.encode(other)]);
});
