/** What the older library, `@solana/web3.js`, finds in what was signed. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { base58, base64 } from '@scure/base';
import { getBase64EncodedWireTransaction } from '@solana/kit';
import {
  PublicKey,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import { describe, expect, it } from 'vitest';
import { newSolanaKey } from '../support/private-keys.ts';
import { compiled, newAddress, transfer } from '../support/solana.ts';
import { signedBy } from './signed.ts';

const key = newSolanaKey();
const payer = new PublicKey(key.address);
const blockhash = newAddress();
const pay = SystemProgram.transfer({ fromPubkey: payer, toPubkey: new PublicKey(newAddress()), lamports: 5 });
const request = (bytes: Uint8Array) =>
  ({ type: 'solana.transaction', message: base64.encode(Uint8Array.from(bytes)) }) as const;

describe('solana.transaction', () => {
  const legacy = () => new Transaction({ feePayer: payer, recentBlockhash: blockhash }).add(pay);
  const version0 = () =>
    new TransactionMessage({
      payerKey: payer,
      recentBlockhash: blockhash,
      instructions: [pay],
    }).compileToV0Message();

  it.each<[string, Uint8Array]>([
    ['its message', legacy().serializeMessage()],
    ['the whole, without signatures', legacy().serialize({ requireAllSignatures: false })],
  ])('a legacy transaction, %s -> a transaction that web3.js verifies', async (_, bytes) => {
    const { signed_transaction = '' } = await signedBy(key, request(bytes));
    const read = Transaction.from(base64.decode(signed_transaction));
    expect(read.verifySignatures()).toBe(true);
    expect(read.instructions).toEqual([expect.objectContaining({ data: pay.data })]);
  });

  it.each<[string, Uint8Array]>([
    ['its message', version0().serialize()],
    ['the whole, without signatures', new VersionedTransaction(version0()).serialize()],
  ])('a transaction of version 0, %s -> its signature', async (_, bytes) => {
    const { signature, signed_transaction = '' } = await signedBy(key, request(bytes));
    const read = VersionedTransaction.deserialize(base64.decode(signed_transaction));
    expect(read.signatures.map((each) => base58.encode(each))).toEqual([signature]);
    expect(
      ed25519.verify(read.signatures[0] ?? new Uint8Array(), read.message.serialize(), payer.toBytes()),
    ).toBe(true);
  });
});

describe('solana.message', () => {
  it('a text -> a signature of the public key of web3.js', async () => {
    const text = 'example.com wants you to sign in with your Solana account:';
    const { signature } = await signedBy(key, { type: 'solana.message', message: text });
    expect(ed25519.verify(base58.decode(signature), new TextEncoder().encode(text), payer.toBytes())).toBe(
      true,
    );
    expect(
      ed25519.verify(base58.decode(signature), new TextEncoder().encode(`${text} `), payer.toBytes()),
    ).toBe(false);
  });

  it('what web3.js reads as a transaction -> rejected', async () => {
    const made = compiled(key.address, [transfer(key.address, newAddress(), 5)], { version: 'legacy' });
    const wire = base64.decode(getBase64EncodedWireTransaction(made));
    expect(Transaction.from(wire).instructions).toHaveLength(1);
    const signing = signedBy(key, { type: 'solana.message', message: { base64: base64.encode(wire) } });
    await expect(signing).rejects.toMatchObject({ reason: 'message_is_transaction' });
  });
});
