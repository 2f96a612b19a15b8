import { ed25519 } from '@noble/curves/ed25519.js';
import { base58, base64 } from '@scure/base';
import {
  Keypair,
  type PublicKey,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/sdk/client.ts';
import { TradingKeysWallet } from '../../src/sdk/solana-web3js.ts';
import { type Answer, json, problem, type StandIn, startStandIn } from './stand-in.ts';

/** `Wallet` of `@coral-xyz/anchor` 0.31, without its deprecated secret key. */
interface AnchorWallet {
  signTransaction<T extends Transaction | VersionedTransaction>(tx: T): Promise<T>;
  signAllTransactions<T extends Transaction | VersionedTransaction>(txs: T[]): Promise<T[]>;
  publicKey: PublicKey;
  payer?: Keypair;
}

const BOT = '01a20567-9c9d-712c-b393-fbd8562d7591';
const BLOCKHASH = '4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn';
const local = Keypair.generate();
const other = Keypair.generate();

const servers: StandIn[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function walletAt(...answers: [Answer, ...Answer[]]) {
  const server = await startStandIn(...answers);
  servers.push(server);
  const client = createClient({ url: server.url, token: 'tk_test' });
  const wallet = new TradingKeysWallet({ client, botId: BOT, address: local.publicKey.toBase58() });
  return { wallet, asked: server.asked };
}

/** An API that signs with this key, and signs something else if told to. */
const signingWith =
  (key: Keypair, instead?: Uint8Array): Answer =>
  (response, asked) => {
    const { message: requested } = JSON.parse(asked.body);
    const message = instead ?? base64.decode(requested.base64 ?? requested);
    const signature = base58.encode(ed25519.sign(message, key.secretKey.slice(0, 32)));
    json({ signature, address: local.publicKey.toBase58(), key_id: BOT })(response, asked);
  };

const pay = (lamports: number, from = local.publicKey) =>
  SystemProgram.transfer({ fromPubkey: from, toPubkey: other.publicKey, lamports });

const legacy = (lamports = 1, payer = local.publicKey) =>
  new Transaction({ feePayer: payer, recentBlockhash: BLOCKHASH } as never).add(pay(lamports));
const versioned = (lamports = 1, payer = local.publicKey) =>
  new VersionedTransaction(
    new TransactionMessage({
      payerKey: payer,
      recentBlockhash: BLOCKHASH,
      instructions: [pay(lamports)],
    }).compileToV0Message(),
  );

test("a wallet has Anchor's interface, and no secret key", async () => {
  const { wallet } = await walletAt(json({}));
  const anchors: AnchorWallet = wallet;
  expect(anchors.publicKey.equals(local.publicKey)).toBe(true);
  expect(anchors.payer).toBeUndefined();
});

describe('a wallet signs as a keypair does, byte for byte', () => {
  test('a legacy transaction', async () => {
    const { wallet, asked } = await walletAt(signingWith(local));
    const byKeypair = legacy();
    byKeypair.partialSign(local);
    const signed = await wallet.signTransaction(legacy());
    expect(signed.serialize()).toEqual(byKeypair.serialize());
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      type: 'solana.transaction',
      wallet: local.publicKey.toBase58(),
      message: base64.encode(legacy().serializeMessage()),
    });
  });

  test('a transaction of version 0', async () => {
    const { wallet } = await walletAt(signingWith(local));
    const byKeypair = versioned();
    byKeypair.sign([local]);
    expect((await wallet.signTransaction(versioned())).serialize()).toEqual(byKeypair.serialize());
  });

  test('next to the signature of another fee payer, which stays', async () => {
    const { wallet } = await walletAt(signingWith(local));
    const [old, newer] = [legacy(1, other.publicKey), versioned(1, other.publicKey)];
    old.partialSign(other);
    newer.sign([other]);
    expect((await wallet.signTransaction(old)).verifySignatures()).toBe(true);
    const signatures = (await wallet.signTransaction(newer)).signatures;
    const valid = [other, local].map(({ publicKey }, place) =>
      ed25519.verify(signatures[place] ?? new Uint8Array(64), newer.message.serialize(), publicKey.toBytes()),
    );
    expect(valid).toEqual([true, true]);
  });

  test('a message', async () => {
    const { wallet, asked } = await walletAt(signingWith(local));
    const message = new TextEncoder().encode('hello');
    expect(await wallet.signMessage(message)).toEqual(ed25519.sign(message, local.secretKey.slice(0, 32)));
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      type: 'solana.message',
      wallet: local.publicKey.toBase58(),
      message: { base64: base64.encode(message) },
    });
  });

  test('several transactions, in their order', async () => {
    const { wallet, asked } = await walletAt(signingWith(local));
    const [first, second] = await wallet.signAllTransactions([versioned(1), legacy(2)]);
    expect(first).toBeInstanceOf(VersionedTransaction);
    expect(second).toBeInstanceOf(Transaction);
    expect(asked.map(({ body }) => JSON.parse(body).message)).toEqual(
      [versioned(1).message.serialize(), legacy(2).serializeMessage()].map((message) =>
        base64.encode(message),
      ),
    );
  });
});

describe('a dishonest API', () => {
  const address = local.publicKey.toBase58();
  test.each<[string, Answer]>([
    ['a signature of something else', signingWith(local, new Uint8Array(80))],
    ['a signature of another key', signingWith(other)],
    ['no base58', json({ signature: `${'O'.repeat(87)}`, address, key_id: BOT })],
    ['more than 64 bytes', json({ signature: 'z'.repeat(88), address, key_id: BOT })],
    ['an empty text', json({ signature: '', address, key_id: BOT })],
    ['nothing', json({ address, key_id: BOT })],
  ])('%s is added to no transaction', async (_name, answer) => {
    const { wallet } = await walletAt(answer);
    const [old, newer] = [legacy(), versioned()];
    const refused = { name: 'SigningError', code: 'signature_mismatch' };
    await expect(wallet.signTransaction(old)).rejects.toMatchObject(refused);
    await expect(wallet.signTransaction(newer)).rejects.toMatchObject(refused);
    await expect(wallet.signMessage(Uint8Array.of(1))).rejects.toMatchObject(refused);
    expect(old.signatures.map(({ signature }) => signature)).toEqual([null]);
    expect(newer.signatures).toEqual([new Uint8Array(64)]);
  });

  test('another address -> an error that the address has changed', async () => {
    const { wallet } = await walletAt(
      json({ signature: '1', address: other.publicKey.toBase58(), key_id: BOT }),
    );
    await expect(wallet.signTransaction(legacy())).rejects.toMatchObject({ code: 'address_changed' });
  });
});

test('a rejected transaction ends the batch: no later one is requested', async () => {
  const { wallet, asked } = await walletAt(problem('policy_value_exceeded', 403));
  await expect(wallet.signAllTransactions([versioned(1), versioned(2)])).rejects.toMatchObject({
    code: 'policy_value_exceeded',
  });
  expect(asked).toHaveLength(1);
});
