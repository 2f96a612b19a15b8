import { hashMessage, JsonRpcProvider, Signature, SigningKey, Transaction, Wallet } from 'ethers';
import { serializeTransaction } from 'viem';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/sdk/client.ts';
import { TradingKeysSigner } from '../../src/sdk/ethers.ts';
import { TRANSFER, TYPED_DATA } from '../support/evm-things.ts';
import { type Answer, json, problem, type StandIn, startStandIn } from './stand-in.ts';

const BOT = '01a20567-9c9d-712c-b393-fbd8562d7591';
const local = new Wallet(Wallet.createRandom().privateKey);
const transfer = Transaction.from(serializeTransaction(TRANSFER));
const { domain, types, message: mail } = structuredClone(TYPED_DATA['the mail of EIP-712']);
const mailTypes = { Person: [...types.Person], Mail: [...types.Mail] };

const servers: StandIn[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function signerAt(answer: Answer, address: string = local.address) {
  const server = await startStandIn(answer);
  servers.push(server);
  const client = createClient({ url: server.url, token: 'tk_test' });
  return { signer: new TradingKeysSigner({ client, botId: BOT, address }), asked: server.asked };
}

/** An API that returns this signature for every request. */
const signed = (signature: string, address: string = local.address) =>
  json({ signature, address, key_id: BOT });

describe('a signer', () => {
  test('has its address in EIP-55 form, and its provider', async () => {
    const { signer } = await signerAt(json({}), local.address.toLowerCase());
    expect([signer.address, await signer.getAddress(), signer.provider]).toEqual([
      local.address,
      local.address,
      null,
    ]);
    const provider = new JsonRpcProvider('http://127.0.0.1:1', 1, { staticNetwork: true });
    const connected = signer.connect(provider);
    expect([connected.address, connected.provider]).toEqual([local.address, provider]);
    provider.destroy();
  });

  test('requests a signature for its bot and its address, and returns the signed transaction', async () => {
    const { serialized } = local.signingKey.sign(transfer.unsignedHash);
    const { signer, asked } = await signerAt(signed(serialized));
    expect(await signer.signTransaction(transfer)).toBe(await local.signTransaction(transfer));
    expect(asked[0]?.line).toBe(`POST /bots/${BOT}/sign`);
    expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({
      type: 'evm.transaction',
      wallet: local.address,
      transaction: { chainId: '0x7a69', value: '0x1' },
    });
  });

  test('signs for the name of ethers 5 as for that of ethers 6', async () => {
    const signature = await local.signTypedData(domain, mailTypes, mail);
    const { signer } = await signerAt(signed(signature));
    expect(await signer.signTypedData(domain, mailTypes, mail)).toBe(signature);
    expect(await signer._signTypedData(domain, mailTypes, mail)).toBe(signature);
  });

  test.each(['transaction', 'name in typed data'])(
    "another sender in a %s is rejected as by ethers' own wallet, before any request",
    async (kind) => {
      const { signer, asked } = await signerAt(json({}));
      const other = Wallet.createRandom().address;
      const named = { ...mail, from: { ...mail.from, wallets: ['someone.eth'] } };
      const attempt = (by: TradingKeysSigner | Wallet) =>
        kind === 'transaction'
          ? by.signTransaction({ ...transfer.toJSON(), from: other })
          : by.signTypedData(domain, mailTypes, named);
      const { code } = await attempt(local).catch((error) => error);
      await expect(attempt(signer)).rejects.toMatchObject({ code });
      expect(asked).toEqual([]);
    },
  );

  test('signs no EIP-7702 authorization, and sends no request for one', async () => {
    const { signer, asked } = await signerAt(json({}));
    await expect(signer.authorize({ address: local.address })).rejects.toMatchObject({
      name: 'SigningError',
      code: 'unsupported_authorization',
    });
    expect(asked).toEqual([]);
  });

  test('passes on the problem of the API', async () => {
    const { signer } = await signerAt(problem('bot_not_running', 409));
    await expect(signer.signMessage('hello')).rejects.toMatchObject({ code: 'bot_not_running', status: 409 });
  });
});

describe('a dishonest API', () => {
  const other = new SigningKey(Wallet.createRandom().privateKey);
  const plain = local.signingKey.sign(hashMessage('hello'));
  test.each<[string, string]>([
    ['a signature of something else', local.signingKey.sign(hashMessage('other')).serialized],
    ['a signature of another key', other.sign(hashMessage('hello')).serialized],
    ['a malformed signature', `0x${'00'.repeat(65)}`],
    ['a truncated signature', `0x${'11'.repeat(64)}`],
    ['a signature with a high s', `${plain.r}${'f'.repeat(64)}1b`],
    ['no hex', 'signed'],
  ])('%s is returned by no method', async (_name, signature) => {
    const { signer } = await signerAt(signed(signature));
    const refused = { name: 'SigningError', code: 'signature_mismatch' };
    await expect(signer.signMessage('hello')).rejects.toMatchObject(refused);
    await expect(signer.signTransaction(transfer)).rejects.toMatchObject(refused);
    await expect(signer.signTypedData(domain, mailTypes, mail)).rejects.toMatchObject(refused);
  });

  test('a signature of the message is returned', async () => {
    const { signer } = await signerAt(signed(plain.serialized));
    expect(Signature.from(await signer.signMessage('hello')).serialized).toBe(plain.serialized);
  });

  test('another address -> an error that the address has changed', async () => {
    const { signer } = await signerAt(signed(plain.serialized, Wallet.createRandom().address));
    await expect(signer.signMessage('hello')).rejects.toMatchObject({ code: 'address_changed' });
  });
});
