/** JSON-RPC 2.0: ids, batches, notifications and everything that is not valid. */
import { describe, expect, it } from 'vitest';
import { newMachineToken } from '../../src/machine-token.ts';
import { MAX_SIGNING_BODY_BYTES } from '../../src/middleware/body.ts';
import { call } from '../support/api.ts';
import { operatorSql } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner } from '../support/runners.ts';
import { post, request, rpc, rpcError } from './rpc.ts';

const own = await newClientWithRunner();
const CHAIN = { chainId: 1 };
const VERSION = 'trading-keys/0.1.0';
const invalid = (id: unknown = null) => ({ ...rpcError(-32600, 'rpc_request_invalid'), id });

async function signatures(): Promise<number> {
  const [row] = await operatorSql<{ count: number }>(
    `select count(*)::int as count from private.every_key_event where bot_id = $1 and event = 'key_released'`,
    [own.botId],
  );
  return row?.count ?? 0;
}

describe('an id', () => {
  it.each([
    ['a number', '7'],
    ['zero', '0'],
    ['a negative number', '-1'],
    ['a text', '"7"'],
    ['an empty text', '""'],
    ['a UUID', `"${crypto.randomUUID()}"`],
    ['null', 'null'],
    ['a number that no double holds', '12345678901234567890123456789'],
    ['a fraction', '0.1234567890123456789'],
    ['a number beyond every double', '1e999'],
  ])('that is %s is returned as it was sent', async (_, id) => {
    const body = `{"jsonrpc":"2.0","id":${id},"method":"web3_clientVersion","params":[{"id":5}]}`;
    const { text } = await post(own, body);
    expect(text).toContain(`"id":${id},`);
    const batch = await post(own, `[{"jsonrpc":"2.0","id":1,"method":"x"},${body}]`);
    expect(batch.text).toContain(`"id":${id},`);
  });

  it.each([
    ['a text of 37 characters', '"1234567890123456789012345678901234567"'],
    ['a number of 37 digits', '1234567890123456789012345678901234567'],
    ['a private key', `"0x${'1'.repeat(64)}"`],
    ['an object', '{}'],
    ['a list', '[1]'],
    ['a boolean', 'true'],
  ])('that is %s is rejected and not returned', async (_, id) => {
    const { json } = await post(own, `{"jsonrpc":"2.0","id":${id},"method":"web3_clientVersion"}`);
    expect(json).toEqual(invalid());
  });

  it('may be used twice in a batch: each request has its response, in order', async () => {
    const { json } = await post(own, [request('web3_clientVersion'), request('eth_chainId')], CHAIN);
    expect(json).toEqual([
      { jsonrpc: '2.0', id: 1, result: VERSION },
      { jsonrpc: '2.0', id: 1, result: '0x1' },
    ]);
  });
});

describe('a body', () => {
  it.each([
    ['no JSON', '{"jsonrpc":'],
    ['no text', ''],
    ['an escaped half of a surrogate pair', '{"jsonrpc":"2.0","id":1,"method":"\\ud800"}'],
  ])('that is %s -> -32700', async (_, body) => {
    const { status, json, headers } = await post(own, body, {
      headers: { 'content-type': 'application/json' },
    });
    expect([status, json]).toEqual([200, { ...rpcError(-32700, 'json_malformed'), id: null }]);
    expect(headers.get('x-request-id')).toBe(json.error.data.request_id);
    expect(headers.get('content-type')).toBe('application/json');
  });

  it.each([
    ['a number', 1],
    ['a text', '"x"'],
    ['null', null],
    ['an empty batch', []],
    ['an object without anything', {}],
    ['a request of JSON-RPC 1.0', { id: null, method: 'eth_accounts', params: [] }],
    ['only a prototype', '{"__proto__":{"jsonrpc":"2.0","method":"eth_accounts","id":1}}'],
  ])('that is %s -> -32600', async (_, body) => {
    expect((await post(own, body)).json).toEqual(invalid());
  });

  it.each([
    ['another version', { jsonrpc: '1.0', id: 1, method: 'eth_accounts' }],
    ['no method', { jsonrpc: '2.0', id: 1 }],
    ['a method that is a list', { jsonrpc: '2.0', id: 1, method: ['eth_accounts'] }],
    ['params by name', { jsonrpc: '2.0', id: 1, method: 'eth_accounts', params: { a: 1 } }],
  ])('with %s -> -32600 with its id', async (_, body) => {
    expect((await post(own, body)).json).toEqual(invalid(1));
  });

  it('with params that are absent or null -> as with an empty list', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'web3_clientVersion' };
    expect((await post(own, body)).json.result).toBe(VERSION);
    expect((await post(own, { ...body, params: null })).json.result).toBe(VERSION);
  });

  it('of another type -> 415, as of any other route', async () => {
    expectProblem(
      await post(own, 'x', { headers: { 'content-type': 'text/plain' } }),
      415,
      'media_type_unsupported',
    );
  });

  it('of 512 KiB is read, and a longer one is not', async () => {
    const padded = (bytes: number) => JSON.stringify(request('web3_clientVersion')).padEnd(bytes, ' ');
    expect((await post(own, padded(MAX_SIGNING_BODY_BYTES))).json.result).toBe(VERSION);
    expectProblem(await post(own, padded(MAX_SIGNING_BODY_BYTES + 1)), 413, 'body_too_large');
  });

  it('nested thousands of levels deep -> an error of its item', async () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect((await post(own, `[${deep}]`)).json).toEqual([invalid()]);
    const { json } = await post(own, `{"jsonrpc":"2.0","id":1,"method":"eth_sign","params":${deep}}`);
    expect(json).toMatchObject(rpcError(-32602, 'rpc_params_invalid', { errors: expect.any(Array) }));
  });
});

describe('a batch', () => {
  it('of 20 is run, and one of 21 is rejected as a whole', async () => {
    const items = Array.from({ length: 20 }, (_, id) => request('web3_clientVersion', [], id));
    expect((await post(own, items)).json).toEqual(
      items.map(({ id }) => ({ jsonrpc: '2.0', id, result: VERSION })),
    );
    const before = await signatures();
    const signing = Array.from({ length: 21 }, () => request('personal_sign', ['0x00', own.key.address]));
    expect((await post(own, signing)).json).toEqual({ ...rpcError(-32600, 'rpc_batch_too_large'), id: null });
    expect(await signatures()).toBe(before);
  });

  it('with items that are not valid answers the others', async () => {
    const { json } = await post(own, [
      1,
      [request('web3_clientVersion')],
      request('web3_clientVersion'),
      null,
    ]);
    expect(json).toEqual([invalid(), invalid(), { jsonrpc: '2.0', id: 1, result: VERSION }, invalid()]);
  });

  it('of one is answered by a list', async () => {
    expect((await post(own, [request('web3_clientVersion')])).json).toHaveLength(1);
  });
});

describe('a notification', () => {
  const { id: _, ...notification } = request('personal_sign', ['0x00', own.key.address]);

  it('is run and has no response', async () => {
    const before = await signatures();
    const { status, text } = await post(own, notification);
    expect([status, text]).toEqual([204, '']);
    expect((await post(own, [notification, notification])).status).toBe(204);
    expect(await signatures()).toBe(before + 3);
  });

  it('has no response in a batch either, even if it is rejected', async () => {
    const unknown = { jsonrpc: '2.0', method: 'eth_unknown' };
    const { json } = await post(own, [unknown, request('web3_clientVersion', [], 2)]);
    expect(json).toEqual([{ jsonrpc: '2.0', id: 2, result: VERSION }]);
  });
});

describe('a method', () => {
  it.each([
    'ETH_ACCOUNTS',
    'Eth_sign',
    'eth_accounts ',
    '__proto__',
    'constructor',
    'toString',
    '',
    'eth_sendRawTransaction',
    'eth_subscribe',
    'eth_newFilter',
    'eth_getFilterChanges',
    'eth_signTypedData',
    'eth_signTypedData_v3',
    'debug_traceCall',
    'admin_peers',
    'personal_listAccounts',
    'personal_unlockAccount',
    'personal_ecRecover',
    'txpool_content',
    'miner_start',
    'anvil_setBalance',
    'evm_mine',
    'wallet_addEthereumChain',
  ])('%j -> -32601', async (method) => {
    expect(await rpc(own, method, [], CHAIN)).toEqual(rpcError(-32601, 'rpc_method_unknown'));
  });
});

describe('a token', () => {
  it('that was never issued -> 401, also for a batch and for methods that need nothing', async () => {
    const nobody = { ...own, machineToken: newMachineToken() };
    for (const body of [
      request('web3_clientVersion'),
      request('personal_sign', ['0x00', own.key.address]),
      [request('eth_chainId'), request('eth_accounts')],
    ]) {
      expectProblem(await post(nobody, body, CHAIN), 401, 'token_invalid');
    }
  });

  it('of another bot -> 4100, the same as for a bot that does not exist', async () => {
    const other = await newClientWithRunner();
    const headers = { 'x-request-id': 'the-same' };
    for (const body of [request('eth_accounts'), request('personal_sign', ['0x00', own.key.address])]) {
      const of = (botId: string) => post({ ...other, botId }, body, { headers });
      const { json, text } = await of(own.botId);
      expect(json.error).toMatchObject({ code: 4100, data: { code: 'resource_not_found' } });
      expect(text).toBe((await of(crypto.randomUUID())).text);
    }
  });

  it('is required', async () => {
    expectProblem(await call(`POST /bots/${own.botId}/rpc`, { body: [] }), 401, 'authentication_required');
  });
});

it('?chain_id= that is not a chain id -> 422', async () => {
  for (const chainId of ['0', '0x1', '-1', '1e3', '12345678901234567', 'mainnet']) {
    expectProblem(await post(own, request('eth_chainId'), { chainId }), 422, 'validation_failed');
  }
});
