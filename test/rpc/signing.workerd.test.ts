/** The methods that sign. viem, which is another implementation, recovers who has signed what. */
import {
  hashMessage,
  hashTypedData,
  keccak256,
  parseTransaction,
  recoverAddress,
  recoverMessageAddress,
  recoverTypedDataAddress,
} from 'viem';
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { addWallet, rotate } from '../support/bots.ts';
import { newAdmin, operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { newClientWithRunner, setPolicy } from '../support/runners.ts';
import { post, request, rpc, rpcError } from './rpc.ts';

const own = await newClientWithRunner();
const me = own.key.address as `0x${string}`;
const other = newEvmKey().address;
const CHAIN = { chainId: 1 };
const TRANSACTION = {
  from: me,
  to: other,
  value: '0x5',
  nonce: '0x0',
  gas: '0x5208',
  maxFeePerGas: '0x9',
  maxPriorityFeePerGas: '0x1',
};
const TYPED_DATA = {
  domain: { name: 'Test', chainId: 1 },
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'chainId', type: 'uint256' },
    ],
    Order: [{ name: 'amount', type: 'uint256' }],
  },
  primaryType: 'Order',
  message: { amount: '115792089237316195423570985008687907853269984665640564039457584007913129639935' },
} as const;

describe('accounts', () => {
  it.each(['eth_accounts', 'eth_requestAccounts'])(
    '%s -> the addresses of the EVM wallets',
    async (method) => {
      expect((await rpc(own, method)).result).toEqual([me]);
    },
  );

  it('of a stopped bot are listed, and sign nothing', async () => {
    const stopped = await newClientWithRunner();
    await call(`POST /bots/${stopped.botId}/stop`, { token: stopped.token });
    expect((await rpc(stopped, 'eth_accounts')).result).toEqual([stopped.key.address]);
    const error = await rpc(stopped, 'personal_sign', ['0x00', stopped.key.address]);
    expect(error).toEqual(rpcError(4100, 'bot_not_running'));
  });
});

describe('the chain', () => {
  it('is that of the URL', async () => {
    expect((await rpc(own, 'eth_chainId', [], { chainId: 8453 })).result).toBe('0x2105');
    expect((await rpc(own, 'net_version', [], { chainId: 8453 })).result).toBe('8453');
  });

  it('is the only one of the policy, and not known with two', async () => {
    const bound = await newClientWithRunner();
    expect(await rpc(bound, 'eth_chainId')).toEqual(rpcError(-32602, 'rpc_chain_unknown'));
    await setPolicy(bound, bound.botId, { chain_ids: ['10'] });
    expect((await rpc(bound, 'eth_chainId')).result).toBe('0xa');
    await setPolicy(bound, bound.botId, { chain_ids: ['10', '1'] });
    expect(await rpc(bound, 'net_version')).toEqual(rpcError(-32602, 'rpc_chain_unknown'));
    expect((await rpc(bound, 'net_version', [], CHAIN)).result).toBe('1');
  });
});

describe('eth_signTransaction', () => {
  it('-> {raw, tx}, signed by the wallet for the chain of the URL', async () => {
    const { raw, tx } = (await rpc(own, 'eth_signTransaction', [TRANSACTION], CHAIN)).result;
    const parsed = parseTransaction(raw);
    expect(parsed).toMatchObject({ chainId: 1, nonce: 0, gas: 21_000n, value: 5n, to: other.toLowerCase() });
    expect(tx).toEqual({
      type: '0x2',
      chainId: '0x1',
      nonce: '0x0',
      to: other.toLowerCase(),
      value: '0x5',
      gas: '0x5208',
      maxFeePerGas: '0x9',
      maxPriorityFeePerGas: '0x1',
      input: '0x',
      accessList: [],
      yParity: expect.stringMatching(/^0x[01]$/),
      v: tx.yParity,
      r: expect.stringMatching(/^0x[1-9a-f]/),
      s: expect.stringMatching(/^0x[1-9a-f]/),
      hash: keccak256(raw),
    });
  });

  it('takes the chain of the transaction, and rejects another one than in the URL', async () => {
    const transaction = { ...TRANSACTION, chainId: '0xa' };
    expect((await rpc(own, 'eth_signTransaction', [transaction])).result.tx.chainId).toBe('0xa');
    expect((await rpc(own, 'eth_signTransaction', [transaction], { chainId: 10 })).result.tx.chainId).toBe(
      '0xa',
    );
    expect(await rpc(own, 'eth_signTransaction', [transaction], CHAIN)).toEqual(
      rpcError(-32602, 'rpc_chain_mismatch'),
    );
    expect(await rpc(own, 'eth_signTransaction', [TRANSACTION])).toEqual(
      rpcError(-32602, 'rpc_chain_unknown'),
    );
  });

  it('treats null as absent', async () => {
    const transaction = { ...TRANSACTION, data: null, accessList: null, gasPrice: null, chainId: null };
    expect((await rpc(own, 'eth_signTransaction', [transaction], CHAIN)).result.tx.nonce).toBe('0x0');
  });

  it.each([
    ['no transaction', []],
    ['a text', ['0x']],
    ['a list', [[]]],
    ['a wrong from', [{ ...TRANSACTION, from: '0x1' }]],
    ['a chain that is not a number', [{ ...TRANSACTION, chainId: 'mainnet' }]],
    ['chain 0', [{ ...TRANSACTION, chainId: '0x0' }]],
  ])('with %s -> -32602', async (_, params) => {
    const errors = [
      {
        pointer: expect.stringMatching(/^\/params\/0/),
        code: 'rpc_params_invalid',
        detail: expect.any(String),
      },
    ];
    expect(await rpc(own, 'eth_signTransaction', params, CHAIN)).toEqual(
      rpcError(-32602, 'rpc_params_invalid', { errors }),
    );
  });

  it('without a nonce or gas -> -32602 that names the field', async () => {
    const { nonce: _, ...rest } = TRANSACTION;
    const errors = [expect.objectContaining({ pointer: '/transaction/nonce' })];
    expect(await rpc(own, 'eth_signTransaction', [rest], CHAIN)).toEqual(
      rpcError(-32602, 'transaction_malformed', { errors }),
    );
  });

  it('with the address of another wallet -> 4100, and nothing is signed', async () => {
    const stranger = await newClientWithRunner();
    const params = [{ ...TRANSACTION, from: stranger.key.address }];
    expect(await rpc(own, 'eth_signTransaction', params, CHAIN)).toEqual(
      rpcError(4100, 'resource_not_found'),
    );
  });
});

describe('messages', () => {
  const TEXT = 'hello ✓';
  const hex = `0x${[...new TextEncoder().encode(TEXT)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;

  it.each([
    ['hex', [hex, me]],
    ['text', [TEXT, me]],
    ['an address in lower case', [hex, me.toLowerCase()]],
    ['the password that Geth takes', [hex, me, 'a password']],
    ['the parameters the other way round', [me, hex]],
  ])('personal_sign with %s', async (_, params) => {
    const { result: signature } = await rpc(own, 'personal_sign', params);
    expect(await recoverMessageAddress({ message: TEXT, signature })).toBe(me);
  });

  it('personal_sign of an address signs the address: the order is that of the method', async () => {
    const { result: signature } = await rpc(own, 'personal_sign', [other, me]);
    expect(await recoverMessageAddress({ message: { raw: other as `0x${string}` }, signature })).toBe(me);
    expect(await rpc(own, 'personal_sign', [me, other])).toEqual(rpcError(4100, 'resource_not_found'));
  });

  it.each([
    ['nothing', []],
    ['no address', [hex]],
    ['no message', [undefined, me]],
    ['half a byte', ['0x0', me]],
    ['no address in either place', ['hello', 'world']],
  ])('personal_sign with %s -> -32602', async (_, params) => {
    expect((await rpc(own, 'personal_sign', params)).error).toMatchObject({
      code: -32602,
      data: { code: 'rpc_params_invalid' },
    });
  });

  it('eth_sign of the hash of a transaction signs a message (EIP-191), and never the transaction', async () => {
    const hash = keccak256((await rpc(own, 'eth_signTransaction', [TRANSACTION], CHAIN)).result.raw);
    const { result: signature } = await rpc(own, 'eth_sign', [me, hash]);
    expect(await recoverAddress({ hash: hashMessage({ raw: hash }), signature })).toBe(me);
    expect(await recoverAddress({ hash, signature })).not.toBe(me);
  });

  it('eth_sign takes no text and no other order', async () => {
    for (const params of [
      [me, 'hello'],
      ['0x00', me],
    ]) {
      expect((await rpc(own, 'eth_sign', params)).error.data.code).toBe('rpc_params_invalid');
    }
  });
});

describe('eth_signTypedData_v4', () => {
  it.each([
    ['an object', TYPED_DATA],
    ['JSON as a text', JSON.stringify(TYPED_DATA)],
  ])('with %s', async (_, typedData) => {
    const { result: signature } = await rpc(own, 'eth_signTypedData_v4', [me, typedData]);
    expect(await recoverTypedDataAddress({ ...TYPED_DATA, signature } as never)).toBe(me);
    expect(await recoverAddress({ hash: hashTypedData(TYPED_DATA as never), signature })).toBe(me);
  });

  it.each([
    ['no object', [me, 'x'], 'rpc_params_invalid'],
    ['a list', [me, '[]'], 'rpc_params_invalid'],
    ['the other order', [TYPED_DATA, me], 'rpc_params_invalid'],
    ['an empty object', [me, {}], 'typed_data_malformed'],
    ['more than 64 KiB', [me, { ...TYPED_DATA, more: 'x'.repeat(64 * 1024) }], 'rpc_params_invalid'],
    [
      'a text of more than 64 KiB',
      [me, JSON.stringify(TYPED_DATA).padEnd(64 * 1024 + 1)],
      'rpc_params_invalid',
    ],
    [
      'half of a surrogate pair in a text',
      [me, JSON.stringify({ ...TYPED_DATA, domain: { name: '\ud800' } }).replace('"chainId":1', '')],
      'typed_data_malformed',
    ],
  ])('with %s -> -32602', async (_, params, code) => {
    expect((await rpc(own, 'eth_signTypedData_v4', params)).error).toMatchObject({
      code: -32602,
      data: { code },
    });
  });
});

describe('the rules of /sign', () => {
  it('hold: what the policy denies is 4001, with an event and a count towards quarantine', async () => {
    const bound = await newClientWithRunner();
    await setPolicy(bound, bound.botId, { recipients: [other], quarantine_after: 2 });
    const transaction = { ...TRANSACTION, from: bound.key.address, to: newEvmKey().address };
    const denied = () => rpc(bound, 'eth_signTransaction', [transaction], CHAIN);
    expect(await denied()).toEqual(rpcError(4001, 'policy_recipient_denied'));
    const [event] = await operatorSql<{ detail: object }>(
      `select detail from private.every_key_event where bot_id = $1 and event = 'refused'`,
      [bound.botId],
    );
    expect(event?.detail).toMatchObject({ code: 'policy_recipient_denied', route: 'POST /bots/{id}/rpc' });
    await denied();
    expect(await denied()).toEqual(rpcError(4100, 'bot_not_running'));
  });

  it('hold: after a rotation the old address signs nothing, and eth_accounts has the new one', async () => {
    const bound = await newClientWithRunner();
    const next = newEvmKey();
    await rotate(bound, { private_key: next.privateKey });
    expect((await rpc(bound, 'eth_accounts')).result).toEqual([next.address]);
    expect((await rpc(bound, 'personal_sign', ['0x00', bound.key.address])).error.code).toBe(4100);
    const { result: signature } = await rpc(bound, 'personal_sign', ['0x00', next.address]);
    expect(await recoverMessageAddress({ message: { raw: '0x00' }, signature })).toBe(next.address);
  });

  it('hold: of several wallets the address selects one', async () => {
    const bound = await newClientWithRunner();
    const second = newEvmKey();
    await addWallet(await newAdmin(), bound.botId, { private_key: second.privateKey });
    const { result: signature } = await rpc(bound, 'personal_sign', ['0x00', second.address]);
    expect(await recoverMessageAddress({ message: { raw: '0x00' }, signature })).toBe(second.address);
    const { from: _, ...anonymous } = TRANSACTION;
    const { error } = await rpc(bound, 'eth_signTransaction', [anonymous], CHAIN);
    expect(error).toMatchObject({ code: -32602, data: { code: 'wallet_ambiguous' } });
  });

  it('hold: an item of a batch has its own stored response under the Idempotency-Key, whatever its id is', async () => {
    const bound = await newClientWithRunner();
    await setPolicy(bound, bound.botId, { max_value_24h: '10', chain_ids: ['1'] });
    const idempotencyKey = `test-${crypto.randomUUID()}`;
    const send = (firstId: number) =>
      post(
        bound,
        ['0x5', '0x4'].map((value, index) =>
          request(
            'eth_signTransaction',
            [{ ...TRANSACTION, from: bound.key.address, value }],
            firstId + index,
          ),
        ),
        { idempotencyKey },
      );
    const first = await send(1);
    expect(first.json.map(({ error }: { error?: object }) => error)).toEqual([undefined, undefined]);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const second = await send(11);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.json.map(({ result }: { result: object }) => result)).toEqual(
      first.json.map(({ result }: { result: object }) => result),
    );
    const [{ sum = '' } = {}] = await operatorSql<{ sum: string }>(
      'select sum(value)::text from public.value_reservations where bot_id = $1',
      [bound.botId],
    );
    expect(sum).toBe('9');
    const another = request('eth_signTransaction', [{ ...TRANSACTION, from: bound.key.address }]);
    const { json } = await post(bound, [another], { idempotencyKey, chainId: 1 });
    expect(json[0].error).toMatchObject({ code: -32600, data: { code: 'idempotency_key_reused' } });
  });
});
