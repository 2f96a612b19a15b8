/** A whole transaction in place of its message, such as `swapTransaction` of Jupiter. */
import { base58, base64 } from '@scure/base';
import {
  createKeyPairFromPrivateKeyBytes,
  getBase64EncodedWireTransaction,
  partiallySignTransaction,
} from '@solana/kit';
import { describe, expect, it } from 'vitest';
import { newSolanaKey, type TestKey } from '../support/private-keys.ts';
import {
  type Compiled,
  compiled,
  messageOf,
  newAddress,
  readonlySigner,
  signedByKit,
  transfer,
} from '../support/solana.ts';
import { refusalOf, signedBy } from './signed.ts';

const VERSIONS = ['legacy', 0, 1] as const;
const [key, other] = [newSolanaKey(), newSolanaKey()];
const request = (message: string) => ({ type: 'solana.transaction', message }) as const;
const wire = (transaction: Compiled) => getBase64EncodedWireTransaction(transaction);
const signedWith = async (transaction: Compiled, by: TestKey) =>
  partiallySignTransaction([await createKeyPairFromPrivateKeyBytes(by.secret)], transaction);
const own = (version: (typeof VERSIONS)[number]) =>
  compiled(key.address, [transfer(key.address, newAddress(), 5)], { version });
const shared = (version: (typeof VERSIONS)[number]) => {
  const note = { programAddress: newAddress(), accounts: [readonlySigner(other.address)] };
  return compiled(key.address, [transfer(key.address, newAddress(), 5), note], { version });
};

describe.each(VERSIONS)('version %s', (version) => {
  it('without signatures -> its message is signed, as Kit does', async () => {
    const made = own(version);
    const { signing, ...signed } = await signedBy(key, request(wire(made)));
    expect(signed).toEqual(await signedByKit(made, key));
    expect(base64.encode(signing.payload)).toBe(messageOf(made));
  });

  it('with an older signature of the wallet -> it is replaced', async () => {
    const made = own(version);
    const bytes = base64.decode(wire(await signedWith(made, key)));
    const at = version === 1 ? bytes.length - 1 : 1;
    bytes[at] = 255 - (bytes[at] ?? 0);
    const { signing, ...signed } = await signedBy(key, request(base64.encode(bytes)));
    expect(signed).toEqual(await signedByKit(made, key));
  });

  it('with the signature of the other signer -> the transaction has both', async () => {
    const made = await signedWith(shared(version), other);
    const { signing, ...signed } = await signedBy(key, request(wire(made)));
    expect(signed).toEqual(await signedByKit(made, key));
  });

  it('without the signature of the other signer -> our signature alone', async () => {
    const made = shared(version);
    const { signing, ...signed } = await signedBy(key, request(wire(made)));
    expect(signed).toEqual({ signature: (await signedByKit(made, key)).signature });
  });

  it.each<[string, (made: Compiled) => Promise<Compiled>]>([
    [
      'of another transaction',
      async (made) => {
        const signature = (await signedWith(shared(version), other)).signatures;
        return { ...made, signatures: { ...made.signatures, ...signature } };
      },
    ],
    [
      'that is not a signature',
      async (made) => ({
        ...made,
        signatures: { ...made.signatures, [other.address]: new Uint8Array(64).fill(255) } as never,
      }),
    ],
  ])('with a signature of the other signer %s -> our signature alone', async (_, change) => {
    const made = shared(version);
    const { signing, ...signed } = await signedBy(key, request(wire(await change(made))));
    expect(signed).toEqual({ signature: (await signedByKit(made, key)).signature });
  });

  it('with an address that no key has as other signer -> our signature alone', async () => {
    // The y coordinate 2 is not on the curve.
    const none = base58.encode(Uint8Array.of(2, ...new Uint8Array(31)));
    const note = { programAddress: newAddress(), accounts: [readonlySigner(none)] };
    const made = compiled(key.address, [note], { version });
    const filled = { ...made, signatures: { ...made.signatures, [none]: new Uint8Array(64).fill(1) } };
    const { signing, ...signed } = await signedBy(key, request(wire(filled as never)));
    expect(Object.keys(signed)).toEqual(['signature']);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['one byte less', (bytes) => bytes.slice(0, -1)],
    ['one byte more', (bytes) => new Uint8Array([...bytes, 0])],
    ['one signature more', (bytes) => withSignatures(bytes, 2)],
    ['no signature, and its number', (bytes) => withSignatures(bytes, 0)],
  ])('with %s -> rejected', (_, change) => {
    expect(refusalOf(request(base64.encode(change(base64.decode(wire(own(version)))))))).toBe(
      'transaction_malformed',
    );
  });

  /** The one signature of a transaction replaced by this many. */
  function withSignatures(bytes: Uint8Array, count: number): Uint8Array {
    const message = version === 1 ? bytes.slice(0, -64) : bytes.slice(65);
    const signatures = new Uint8Array(64 * count);
    // Version 1 without signatures is its message, so it gets half of one.
    return version === 1
      ? new Uint8Array([...message, ...signatures, ...(count === 0 ? new Uint8Array(32) : [])])
      : new Uint8Array([count, ...signatures, ...message]);
  }
});

it('bytes that are a message and a whole transaction too are rejected', () => {
  // As message: one signer, three accounts, and one instruction whose data is the end of the other reading. As transaction:
  // one signature, which ends inside the second account, and a message of two accounts that has no instructions.
  const bytes = new Uint8Array(166);
  crypto.getRandomValues(bytes);
  bytes.set([1, 0, 0, 3], 0);
  bytes.set([1, 0, 0, 2], 65);
  bytes.set([1, 1, 0, 30], 132);
  bytes[165] = 0;
  expect(refusalOf(request(base64.encode(bytes)))).toBe('transaction_malformed');
  // With one account less in the inner message, only the outer reading is left, and is what is signed.
  bytes[68] = 1;
  expect(refusalOf(request(base64.encode(bytes)))).toMatchObject({ payload: bytes });
});
