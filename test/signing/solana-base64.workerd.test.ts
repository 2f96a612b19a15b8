/** A text that is not base64 of a message: the error names what it is instead. */
import { base58, base64, hex } from '@scure/base';
import { expect, it } from 'vitest';
import { SigningInputError } from '../../src/signing/index.ts';
import { readSolanaTransaction } from '../../src/signing/solana-transaction.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { compiled, transfer } from '../support/solana.ts';

const key = newSolanaKey();
const bytes = Uint8Array.from(compiled(key.address, [transfer(key.address, key.address, 5)]).messageBytes);
const text = base64.encode(bytes);

/** The fixed text of the rejection. */
function detailOf(message: string): string {
  try {
    readSolanaTransaction(message);
  } catch (error) {
    if (error instanceof SigningInputError && error.reason === 'transaction_malformed') return error.detail;
    throw error;
  }
  throw new TypeError('It was accepted.');
}

it.each<[string, string, RegExp]>([
  ['an address', key.address, /address/],
  ['an EVM address', newEvmKey().address, /address/],
  ['base58', base58.encode(bytes), /base58/],
  ['hex', hex.encode(bytes), /hex/],
  ['hex with 0x', `0x${hex.encode(bytes)}`, /hex/],
  ['a list of numbers', JSON.stringify([...bytes]), /JSON/],
  ['a Buffer in JSON', JSON.stringify({ type: 'Buffer', data: [...bytes] }), /JSON/],
  [
    'base64url',
    base64
      .encode(Uint8Array.of(251, 255, 191))
      .replaceAll('+', '-')
      .replaceAll('/', '_'),
    /base64url/,
  ],
  ['base64 in two lines', `${text.slice(0, 40)}\n${text.slice(40)}`, /white space/],
  ['base64 without its end', text.slice(0, 61), /padding/],
  ['base64 of something else', btoa('Sign in!'), /account|version|end|header/],
])('%s', (_, message, named) => {
  expect(detailOf(message)).toMatch(named);
});

it('no error contains a part of the text', () => {
  for (const message of [base58.encode(bytes), hex.encode(bytes), text.slice(0, 61), `${text}\n`])
    expect(detailOf(message)).not.toContain(message.slice(0, 12));
});

it('base64 of a message does not have any of these forms', () => {
  expect(readSolanaTransaction(text).payload).toEqual(bytes);
});
