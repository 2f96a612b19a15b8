/** `eth_sendTransaction`: what is filled in, what is sent, and what a second attempt sends. */
import { parseTransaction } from 'viem';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { newMachineToken } from '../../src/machine-token.ts';
import { settings } from '../support/api.ts';
import { operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner } from '../support/runners.ts';
import { type NodeCall, startFakeNode } from './fake-node.ts';
import { post, request, rpc, rpcError } from './rpc.ts';

const own = await newClientWithRunner();
const to = newEvmKey().address;
const CHAIN: Readonly<Record<string, unknown>> = {
  eth_estimateGas: '0x5208',
  eth_getBlockByNumber: { baseFeePerGas: '0x64' },
  eth_maxPriorityFeePerGas: '0x2',
  eth_gasPrice: '0x66',
  eth_getTransactionByHash: null,
};
let nonce = 0;
let onSend: (call: NodeCall) => object | undefined = () => ({ result: '0x' });
const node = await startFakeNode((call, response) => {
  if (call.method === 'eth_getTransactionCount') return { result: `0x${(nonce++).toString(16)}` };
  if (call.method !== 'eth_sendRawTransaction') return { result: CHAIN[call.method] };
  const members = onSend(call);
  if (!members) response.destroy();
  return members;
});
afterAll(() => node.stop());
beforeEach(() => {
  node.calls.length = 0;
  nonce = 0;
  onSend = () => ({ result: '0x' });
});

const env = { ...settings(), ENVIRONMENT: 'development', RPC_URLS: `1=${node.url}`, RPC_FEE_CAPS: '1=1000' };
const OPTIONS = { env, chainId: 1 };
const transfer = { from: own.key.address, to, value: '0x1' };
const send = (transaction: object = transfer, options: object = {}) =>
  rpc(own, 'eth_sendTransaction', [transaction], { ...OPTIONS, ...options });
const sent = () =>
  node.calls
    .filter(({ method }) => method === 'eth_sendRawTransaction')
    .map(({ params }) => String(params[0]));
const sentFields = () => sent().map((raw) => parseTransaction(raw as `0x${string}`));
const newKey = () => `test-${crypto.randomUUID()}`;
const UNCONFIRMED = { transaction_hash: expect.stringMatching(/^0x/), raw: expect.stringMatching(/^0x/) };

describe('fields that are left out', () => {
  it('are filled in from the node, with fees below the cap', async () => {
    expect((await send()).result).toMatch(/^0x[0-9a-f]{64}$/);
    // Twice the base fee and the tip. viem leaves out a nonce of zero.
    const filled = { chainId: 1, gas: 21_000n, maxFeePerGas: 202n, maxPriorityFeePerGas: 2n, value: 1n };
    expect(sentFields()).toMatchObject([filled]);
    const estimate = node.calls.find(({ method }) => method === 'eth_estimateGas');
    expect(estimate?.params).toEqual([{ ...transfer, from: transfer.from.toLowerCase() }]);
  });

  it('are not filled in if the caller sends them, and no node is asked', async () => {
    const complete = {
      ...transfer,
      nonce: '0x7',
      gas: '0x5300',
      maxFeePerGas: '0x9',
      maxPriorityFeePerGas: '0x1',
    };
    await send(complete);
    expect(sentFields()).toMatchObject([
      { nonce: 7, gas: 21_248n, maxFeePerGas: 9n, maxPriorityFeePerGas: 1n },
    ]);
    expect(node.calls).toHaveLength(1);
  });

  it('include a tip that is at most the fee of the caller', async () => {
    await send({ ...transfer, maxFeePerGas: '0x1' });
    expect(sentFields()).toMatchObject([{ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }]);
  });

  it('include the gas price of a legacy transaction', async () => {
    await send({ ...transfer, type: '0x0' });
    expect(sentFields()).toMatchObject([{ type: 'legacy', gasPrice: 102n }]);
  });

  it('include the gas price of a transaction whose type is named', async () => {
    await send({ ...transfer, type: 'legacy' });
    expect(sentFields()).toMatchObject([{ type: 'legacy', gasPrice: 102n }]);
  });

  it.each([
    ['maxFeePerGas', '30 gwei'],
    ['maxFeePerGas', 30.5],
    ['maxPriorityFeePerGas', '1e9'],
  ])('replace no malformed %s', async (name, value) => {
    const { error } = await send({ ...transfer, [name]: value });
    expect(error).toMatchObject({ code: -32602, data: { code: 'transaction_malformed' } });
    expect(sent()).toEqual([]);
  });

  it('include no fees without a cap for the chain, nor above the cap', async () => {
    const none = { env: { ...env, RPC_FEE_CAPS: '2=1000' } };
    expect(await send(transfer, none)).toEqual(rpcError(-32602, 'rpc_fees_required'));
    const low = { env: { ...env, RPC_FEE_CAPS: '1=99' } };
    expect(await send(transfer, low)).toEqual(rpcError(-32003, 'rpc_fee_cap_exceeded'));
    await send(transfer, { env: { ...env, RPC_FEE_CAPS: '1=101' } });
    expect(sentFields()).toMatchObject([{ maxFeePerGas: 101n }]);
  });

  it('are not filled in for a token that the database does not know', async () => {
    const nobody = { ...own, machineToken: newMachineToken() };
    expectProblem(
      await post(nobody, request('eth_sendTransaction', [transfer]), OPTIONS),
      401,
      'token_invalid',
    );
    expect(node.calls).toEqual([]);
  });

  it('include the only wallet', async () => {
    const { from: _, ...anonymous } = transfer;
    expect((await send(anonymous)).result).toMatch(/^0x/);
  });
});

it('requests of a batch are sent one after the other, each with the next nonce', async () => {
  const items = [1, 2, 3].map((id) =>
    request('eth_sendTransaction', [{ ...transfer, value: `0x${id}` }], id),
  );
  await post(own, items, OPTIONS);
  expect(sentFields().map(({ nonce, value }) => [nonce ?? 0, value])).toEqual([
    [0, 1n],
    [1, 2n],
    [2, 3n],
  ]);
});

describe('a second attempt with the same Idempotency-Key', () => {
  it('sends the same bytes, also with another id and after the chain has moved on', async () => {
    const idempotencyKey = newKey();
    const first = await send(transfer, { idempotencyKey });
    await send();
    onSend = () => ({ error: { code: -32000, message: 'already known' } });
    const body = request('eth_sendTransaction', [transfer], 'another id');
    const { json, headers } = await post(own, body, { ...OPTIONS, idempotencyKey });
    expect(json.result).toBe(first.result);
    expect(headers.get('idempotency-replayed')).toBe('true');
    const [one, , three] = sent();
    expect(three).toBe(one);
    const [row] = await operatorSql<{ count: number }>(
      `select count(*)::int as count from private.every_key_event
       where bot_id = $1 and event = 'key_released' and detail ? 'replayed'`,
      [own.botId],
    );
    expect(row?.count).toBe(1);
  });

  it('is a success if the transaction was mined since', async () => {
    const idempotencyKey = newKey();
    const { result: hash } = await send(transfer, { idempotencyKey });
    onSend = () => ({ error: { code: -32000, message: 'nonce too low' } });
    const [before] = [CHAIN.eth_getTransactionByHash];
    Object.assign(CHAIN, { eth_getTransactionByHash: { hash } });
    expect((await send(transfer, { idempotencyKey })).result).toBe(hash);
    Object.assign(CHAIN, { eth_getTransactionByHash: before });
    expect(await send(transfer, { idempotencyKey })).toEqual(
      rpcError(-32002, 'rpc_transaction_unconfirmed', UNCONFIRMED),
    );
  });

  it.each([
    ['estimates no gas any longer', { eth_estimateGas: undefined }],
    ['has fees above the cap', { eth_getBlockByNumber: { baseFeePerGas: '0x10000' } }],
  ])('sends the same bytes to a node that %s', async (_, changed) => {
    const options = { idempotencyKey: newKey() };
    const first = await send(transfer, options);
    expect(first.result).toMatch(/^0x[0-9a-f]{64}$/);
    const answers = node.respond;
    node.respond = (call, response) =>
      Object.hasOwn(changed, call.method)
        ? { result: changed[call.method as keyof typeof changed] ?? null }
        : answers(call, response);
    try {
      expect((await send(transfer, options)).result).toBe(first.result);
      expect(new Set(sent()).size).toBe(1);
      // The same request under another key asks the node, and is rejected.
      expect((await send(transfer, { idempotencyKey: newKey() })).error).toBeDefined();
    } finally {
      node.respond = answers;
    }
  });

  it('with another transaction is rejected, and nothing is sent', async () => {
    const idempotencyKey = newKey();
    await send(transfer, { idempotencyKey });
    const other = await send({ ...transfer, value: '0x2' }, { idempotencyKey });
    expect(other).toEqual(rpcError(-32600, 'idempotency_key_reused'));
    expect(sent()).toHaveLength(1);
  });
});

describe('a node that', () => {
  it('does not respond, and then has a higher nonce -> not known, with the hash and the bytes', async () => {
    let attempts = 0;
    onSend = () => (attempts++ ? { error: { code: -32000, message: 'nonce too low' } } : undefined);
    expect(await send()).toEqual(rpcError(-32002, 'rpc_transaction_unconfirmed', UNCONFIRMED));
  });

  it.each([-32603, -32005])('fails with %d -> not known, with the hash and the bytes', async (code) => {
    onSend = () => ({ error: { code, message: 'internal error' } });
    expect(await send()).toEqual(rpcError(-32002, 'rpc_transaction_unconfirmed', UNCONFIRMED));
  });

  it('rejects the transaction -> its error', async () => {
    const error = { code: -32000, message: 'insufficient funds for gas * price + value' };
    onSend = () => ({ error });
    expect((await send()).error).toEqual(error);
  });

  it('does not respond to the first attempt gets the same bytes once more', async () => {
    let attempts = 0;
    onSend = () => (++attempts === 1 ? undefined : { result: '0x' });
    expect((await send()).result).toMatch(/^0x/);
    const [one, two] = sent();
    expect(two).toBe(one);
  });

  it('does not respond to either -> an error that clients do not repeat, with the hash and the bytes', async () => {
    onSend = () => undefined;
    const answer = await send();
    expect(answer).toEqual(
      rpcError(-32002, 'rpc_transaction_unconfirmed', {
        transaction_hash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
        raw: sent()[0],
      }),
    );
    expect(sent()).toHaveLength(2);
  });
});
