import { assertIsSolanaSigner, assertSignatureValid, type SolanaSigner } from '@solana/keychain-core';
import {
  type Address,
  appendTransactionMessageInstruction,
  type Blockhash,
  compileTransaction,
  createSignableMessage,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase58Decoder,
  getBase64Encoder,
  isMessagePartialSigner,
  isTransactionPartialSigner,
  type KeyPairSigner,
  partiallySignTransactionMessageWithSigners,
  pipe,
  type SignatureBytes,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  type TransactionSigner,
} from '@solana/kit';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/sdk/client.ts';
import { createTradingKeysSigner } from '../../src/sdk/solana.ts';
import { type Answer, json, problem, type StandIn, silence, startStandIn } from './stand-in.ts';

const BOT = '01a20567-9c9d-712c-b393-fbd8562d7591';
let local: KeyPairSigner;
let other: KeyPairSigner;

beforeAll(async () => {
  local = await generateKeyPairSigner();
  other = await generateKeyPairSigner();
});

const servers: StandIn[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function signerAt(answer: Answer) {
  const server = await startStandIn(answer);
  servers.push(server);
  const client = createClient({ url: server.url, token: 'tk_test' });
  return {
    signer: createTradingKeysSigner({ client, botId: BOT, address: local.address }),
    asked: server.asked,
  };
}

/** A memo, which needs no signature of another account. */
const memo = (signer: TransactionSigner, text: string) =>
  pipe(
    createTransactionMessage({ version: 0 }),
    (message) => setTransactionMessageFeePayerSigner(signer, message),
    (message) =>
      setTransactionMessageLifetimeUsingBlockhash(
        { blockhash: '4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn' as Blockhash, lastValidBlockHeight: 1n },
        message,
      ),
    (message) =>
      appendTransactionMessageInstruction(
        {
          programAddress: 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr' as Address,
          data: new TextEncoder().encode(text),
        },
        message,
      ),
  );

/** An API that signs with this key, and signs something else if told to. */
const signingWith =
  (key: KeyPairSigner, instead?: Uint8Array): Answer =>
  async (response, asked) => {
    const { message } = JSON.parse(asked.body);
    const content = instead ?? getBase64Encoder().encode(message.base64 ?? message);
    const [dictionary] = await key.signMessages([{ content: Uint8Array.from(content), signatures: {} }]);
    const signature = getBase58Decoder().decode(dictionary?.[key.address] ?? new Uint8Array(64));
    json({ signature, address: local.address, key_id: BOT })(response, asked);
  };

test('is a partial signer of Kit for transactions and messages', async () => {
  const { signer } = await signerAt(json({}));
  expect(signer.address).toBe(local.address);
  expect([isTransactionPartialSigner(signer), isMessagePartialSigner(signer)]).toEqual([true, true]);
});

test('has the interface of @solana/keychain-core, whose own check accepts its signatures', async () => {
  const { signer } = await signerAt(signingWith(local));
  const keychain: SolanaSigner = signer;
  assertIsSolanaSigner(keychain);
  const [signatures] = await keychain.signMessages([createSignableMessage('hello')]);
  const signature = signatures?.[signer.address] ?? (new Uint8Array(64) as SignatureBytes);
  const data = new TextEncoder().encode('hello');
  await assertSignatureValid({ data, signature, signerAddress: signer.address });
});

describe('signMessages', () => {
  test("returns the signatures of Kit's own signer with the same key, in order", async () => {
    const { signer, asked } = await signerAt(signingWith(local));
    const messages = [createSignableMessage('one'), createSignableMessage(Uint8Array.of(1, 0, 255))];
    expect(await signer.signMessages(messages)).toEqual(await local.signMessages(messages));
    expect(asked.map(({ body }) => JSON.parse(body))).toEqual(
      ['b25l', 'AQD/'].map((base64) => ({
        type: 'solana.message',
        wallet: local.address,
        message: { base64 },
      })),
    );
  });

  test('a signature of another message is not returned', async () => {
    const { signer } = await signerAt(signingWith(local, new Uint8Array(80)));
    await expect(signer.signMessages([createSignableMessage('one')])).rejects.toMatchObject({
      name: 'SigningError',
      code: 'signature_mismatch',
    });
  });

  test('a rejected message ends the batch', async () => {
    const { signer, asked } = await signerAt(problem('policy_kind_denied', 403));
    const messages = [createSignableMessage('one'), createSignableMessage('two')];
    await expect(signer.signMessages(messages)).rejects.toMatchObject({ code: 'policy_kind_denied' });
    expect(asked).toHaveLength(1);
  });

  test('a message of the largest size is sent whole', async () => {
    const { signer, asked } = await signerAt(signingWith(local));
    await signer.signMessages([createSignableMessage(new Uint8Array(32_768))]);
    expect(JSON.parse(asked[0]?.body ?? '').message.base64).toHaveLength(43_692);
  });
});

describe('isAvailable', () => {
  const wallet = { id: '01a20567-9c9d-712c-b393-fbd8562d7592', chain: 'solana', key_source: 'trading' };
  const bot = (status: string, ...wallets: object[]) => json({ id: BOT, status, config: {}, wallets });

  test.each<[string, boolean, () => Answer]>([
    ['a running bot', true, () => bot('running', { ...wallet, address: local.address })],
    ['a stopped bot', false, () => bot('stopped', { ...wallet, address: local.address })],
    [
      'a wallet that has another address by now',
      false,
      () => bot('running', { ...wallet, address: other.address }),
    ],
    [
      'a wallet whose key was deleted',
      false,
      () => bot('running', { ...wallet, address: local.address, key_source: null }),
    ],
    ['a token that was revoked', false, () => problem('token_invalid', 401)],
    ['an API that has a fault', false, () => problem('internal_error', 500)],
  ])('%s -> %s', async (_name, expected, answer) => {
    const { signer, asked } = await signerAt(answer());
    expect(await signer.isAvailable()).toBe(expected);
    expect(asked[0]?.line).toBe(`GET /runner/bots/${BOT}`);
  });

  test('a wallet named by its id is available if it has the address of the signer', async () => {
    const server = await startStandIn(bot('running', { ...wallet, address: local.address }));
    servers.push(server);
    const client = createClient({ url: server.url, token: 'tk_test' });
    const options = { client, botId: BOT, address: local.address };
    const named = (id: string) => createTradingKeysSigner({ ...options, wallet: id }).isAvailable();
    expect([await named(wallet.id), await named(BOT)]).toEqual([true, false]);
  });

  test('a network without the API -> false', async () => {
    const client = createClient({
      url: 'https://keys.example.test',
      retries: 0,
      fetch: () => Promise.reject(),
    });
    const signer = createTradingKeysSigner({ client, botId: BOT, address: local.address });
    expect(await signer.isAvailable()).toBe(false);
  });

  test('an id that is not an id is a mistake of the program -> TypeError', async () => {
    const client = createClient({ url: 'https://keys.example.test' });
    const signer = createTradingKeysSigner({ client, botId: 'one', address: local.address });
    await expect(signer.isAvailable()).rejects.toThrow(TypeError);
  });
});

test("returns the signature of Kit's own signer with the same key, byte for byte", async () => {
  const { signer, asked } = await signerAt(signingWith(local));
  const byApi = await partiallySignTransactionMessageWithSigners(memo(signer, 'hello'));
  const byKit = await partiallySignTransactionMessageWithSigners(memo(local, 'hello'));
  expect(byApi).toEqual(byKit);
  expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
    type: 'solana.transaction',
    wallet: local.address,
    message: Buffer.from(byKit.messageBytes).toString('base64'),
  });
});

describe('a dishonest API', () => {
  test.each<[string, () => Answer]>([
    ['a signature of something else', () => signingWith(local, new Uint8Array(80))],
    ['a signature of another key', () => signingWith(other)],
    ['no base58', () => json({ signature: 'O0Il', address: local.address, key_id: BOT })],
    ['nothing', () => json({ address: local.address, key_id: BOT })],
  ])('%s is not returned', async (_name, answer) => {
    const { signer } = await signerAt(answer());
    await expect(partiallySignTransactionMessageWithSigners(memo(signer, 'hello'))).rejects.toMatchObject({
      name: 'SigningError',
      code: 'signature_mismatch',
    });
  });

  test('a response with another address -> an error that the address has changed', async () => {
    const { signer } = await signerAt(json({ signature: '1', address: other.address, key_id: BOT }));
    const signing = partiallySignTransactionMessageWithSigners(memo(signer, 'hello'));
    await expect(signing).rejects.toMatchObject({ code: 'address_changed' });
  });
});

test('a rejected transaction ends the batch: no later one is requested', async () => {
  const { signer, asked } = await signerAt(problem('policy_value_exceeded', 403));
  const transactions = ['one', 'two'].map((text) => compileTransaction(memo(local, text)));
  await expect(signer.signTransactions(transactions as never)).rejects.toMatchObject({
    code: 'policy_value_exceeded',
  });
  expect(asked).toHaveLength(1);
});

test("Kit's own abort signal ends a call", async () => {
  const { signer } = await signerAt(silence);
  const signing = signer.signTransactions([compileTransaction(memo(local, 'hello'))] as never, {
    abortSignal: AbortSignal.timeout(50),
  });
  await expect(signing).rejects.toMatchObject({ name: 'TimeoutError' });
});
