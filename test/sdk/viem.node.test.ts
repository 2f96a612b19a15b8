import { createWalletClient, custom, type Hex, hashMessage, keccak256, serializeTransaction } from 'viem';
import { generatePrivateKey, privateKeyToAccount, sign } from 'viem/accounts';
import { celo, optimism, zksync } from 'viem/chains';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient, findProblem } from '../../src/sdk/client.ts';
import { toTradingKeysAccount } from '../../src/sdk/viem.ts';
import { MESSAGES, TYPED_DATA, TRANSFER as transfer } from '../support/evm-things.ts';
import { type Answer, json, problem, type StandIn, startStandIn } from './stand-in.ts';

const BOT = '01a20567-9c9d-712c-b393-fbd8562d7591';
const privateKey = generatePrivateKey();
const local = privateKeyToAccount(privateKey);

const servers: StandIn[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function accountAt(answer: Answer, address: string = local.address) {
  const server = await startStandIn(answer);
  servers.push(server);
  const client = createClient({ url: server.url, token: 'tk_test' });
  return { account: toTradingKeysAccount({ client, botId: BOT, address }), asked: server.asked };
}

/** An API that returns this signature for every request. */
const signed = (signature: Hex, address: string = local.address) => json({ signature, address, key_id: BOT });

describe('an account', () => {
  test('is a local account of viem, its address in EIP-55 form', async () => {
    const { account } = await accountAt(json({}), local.address.toLowerCase());
    expect(account).toMatchObject({ address: local.address, type: 'local', source: 'custom' });
    expect(account.sign).toBeUndefined();
  });

  test('signs no EIP-7702 authorization, and sends no request for one', async () => {
    const { account, asked } = await accountAt(json({}));
    const wallet = createWalletClient({ account, transport: custom({ request: async () => '0x7a69' }) });
    const signing = wallet.signAuthorization({ address: local.address, chainId: 1, nonce: 0 });
    await expect(signing).rejects.toMatchObject({ name: 'SigningError', code: 'unsupported_authorization' });
    expect(asked).toEqual([]);
  });

  test('requests a signature for its bot and its address, and returns the signed transaction', async () => {
    const hash = keccak256(serializeTransaction(transfer));
    const { account, asked } = await accountAt(signed(await sign({ hash, privateKey, to: 'hex' })));
    expect(await account.signTransaction(transfer)).toBe(await local.signTransaction(transfer));
    expect(asked[0]?.line).toBe(`POST /bots/${BOT}/sign`);
    expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({
      type: 'evm.transaction',
      wallet: local.address,
      transaction: { chainId: '0x7a69', value: '0x1' },
    });
  });

  test('also accepts a signature whose last byte is 0 or 1', async () => {
    const plain = await local.signMessage({ message: 'hello' });
    const parity = plain.endsWith('1b') ? '00' : '01';
    const { account } = await accountAt(signed(`${plain.slice(0, -2)}${parity}` as Hex));
    expect(await account.signMessage({ message: 'hello' })).toBe(plain);
  });
});

describe('a dishonest API', () => {
  const other = privateKeyToAccount(generatePrivateKey());
  let ofAnother: Record<string, Hex>;
  beforeEach(async () => {
    ofAnother = {
      'a signature of something else': await sign({ hash: hashMessage('other'), privateKey, to: 'hex' }),
      'a signature of another key': await other.signMessage({ message: MESSAGES.text }),
      'a malformed signature': `0x${'00'.repeat(65)}`,
      'a truncated signature': `0x${'11'.repeat(64)}`,
      'no hex': 'signed' as Hex,
    };
  });

  test.each([
    'a signature of something else',
    'a signature of another key',
    'a malformed signature',
    'a truncated signature',
    'no hex',
  ])('%s is returned by no method', async (name) => {
    const { account } = await accountAt(signed(ofAnother[name] ?? '0x'));
    const refused = { name: 'SigningError', code: 'signature_mismatch' };
    await expect(account.signTransaction(transfer)).rejects.toMatchObject(refused);
    await expect(account.signMessage({ message: MESSAGES.text })).rejects.toMatchObject(refused);
    await expect(account.signTypedData(TYPED_DATA['the mail of EIP-712'])).rejects.toMatchObject(refused);
  });

  test('its signed transaction is ignored: the account builds it from the request and the signature', async () => {
    const dear = { ...transfer, value: 10n ** 20n };
    const signature = await sign({ hash: keccak256(serializeTransaction(transfer)), privateKey, to: 'hex' });
    const { account } = await accountAt(
      json({
        signature,
        signed_transaction: await local.signTransaction(dear),
        address: local.address,
        key_id: BOT,
      }),
    );
    expect(await account.signTransaction(transfer)).toBe(await local.signTransaction(transfer));
  });
});

describe('an account after a rotation', () => {
  test('reports that the address has changed, if its wallet is named by id', async () => {
    const { account } = await accountAt(
      signed(`0x${'11'.repeat(65)}`, '0x0000000000000000000000000000000000000001'),
    );
    await expect(account.signMessage({ message: 'hello' })).rejects.toMatchObject({
      code: 'address_changed',
    });
  });

  test('gives on what the API says, where it was named by its address', async () => {
    const { account } = await accountAt(problem('wallet_address_replaced', 409));
    await expect(account.signMessage({ message: 'hello' })).rejects.toMatchObject({
      code: 'wallet_address_replaced',
      status: 409,
    });
  });
});

describe("a chain's own serializer", () => {
  test('is used if it writes transactions that the API signs', async () => {
    const serializer = optimism.serializers.transaction;
    const hash = keccak256(serializeTransaction(transfer));
    const { account } = await accountAt(signed(await sign({ hash, privateKey, to: 'hex' })));
    expect(await account.signTransaction(transfer, { serializer })).toBe(
      await local.signTransaction(transfer),
    );
  });

  test.each([
    [
      "Celo's fee currency",
      celo.serializers.transaction,
      { ...transfer, type: 'cip64', feeCurrency: local.address },
    ],
    [
      "ZKsync's EIP-712",
      zksync.serializers.transaction,
      { ...transfer, type: 'eip712', from: local.address },
    ],
  ])('%s is rejected before any request', async (_name, serializer, transaction) => {
    const { account, asked } = await accountAt(json({}));
    // biome-ignore lint/suspicious/noExplicitAny: such chains have types of their own
    const signing = account.signTransaction(transaction as any, { serializer: serializer as any });
    await expect(signing).rejects.toMatchObject({ code: 'unsupported_transaction' });
    expect(asked).toEqual([]);
  });
});

test('the problem is found inside the error of a wallet client', async () => {
  const { account } = await accountAt(problem('bot_not_running', 409));
  const wallet = createWalletClient({ account, transport: custom({ request: async () => '0x7a69' }) });
  const error = await wallet.sendTransaction({ ...transfer, chain: null } as never).catch((error) => error);
  expect(error.name).toBe('TransactionExecutionError');
  expect(findProblem(error)?.code).toBe('bot_not_running');
});
