/** Methods that the node of the operator answers, and nodes that behave badly. */
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { newMachineToken } from '../../src/machine-token.ts';
import { call, settings } from '../support/api.ts';
import { listenToLog } from '../support/log-lines.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner, setPolicy } from '../support/runners.ts';
import { type FakeNode, type Respond, startFakeNode } from './fake-node.ts';
import { post, request, rpc, rpcError } from './rpc.ts';

const own = await newClientWithRunner();
const ok: Respond = () => ({ result: '0x1' });
const node: FakeNode = await startFakeNode(ok);
const second = await startFakeNode(ok);
afterAll(() => Promise.all([node.stop(), second.stop()]));
beforeEach(() => {
  for (const one of [node, second]) {
    one.calls.length = 0;
    one.respond = ok;
  }
});

const development = (RPC_URLS: string) => ({ ...settings(), ENVIRONMENT: 'development', RPC_URLS });
const env = development(JSON.stringify({ 1: node.url }));
const CHAIN = { env, chainId: 1 };
const block = (options = {}) => rpc(own, 'eth_blockNumber', [], { ...CHAIN, ...options });

describe('a method that reads', () => {
  it('is forwarded with its params, and with nothing else of the request', async () => {
    const params = [{ to: own.key.address, data: '0x' }, 'latest'];
    const { result } = await rpc(own, 'eth_call', params, { ...CHAIN, headers: { 'x-mine': 'mine' } });
    expect(result).toBe('0x1');
    const [{ headers, ...sent } = { headers: {} }] = node.calls;
    expect(sent).toMatchObject({ method: 'eth_call', params });
    expect(JSON.stringify([headers, sent])).not.toMatch(
      new RegExp(`${own.machineToken}|x-mine|authorization`),
    );
  });

  it('may have the result null', async () => {
    node.respond = () => ({ result: null });
    const { result } = await rpc(own, 'eth_getTransactionReceipt', ['0x'], CHAIN);
    expect(result).toBeNull();
  });

  it('goes to the node of its chain: that of the URL, of the policy, or the only one', async () => {
    const both = development(`1=${node.url}, 10=${second.url}`);
    await block({ env: both, chainId: 10 });
    expect([node.calls.length, second.calls.length]).toEqual([0, 1]);
    const { chainId: _, ...none } = CHAIN;
    expect((await rpc(own, 'eth_blockNumber', [], none)).result).toBe('0x1');
    expect((await rpc(own, 'eth_chainId', [], none)).result).toBe('0x1');
    expect(await rpc(own, 'eth_blockNumber', [], { env: both })).toEqual(
      rpcError(-32602, 'rpc_chain_unknown'),
    );
    const bound = await newClientWithRunner();
    await setPolicy(bound, bound.botId, { chain_ids: ['10'] });
    await rpc(bound, 'eth_blockNumber', [], { env: both });
    expect([node.calls.length, second.calls.length]).toEqual([1, 2]);
  });

  it('without a node for the chain -> -32004', async () => {
    const missing = rpcError(-32004, 'rpc_node_missing');
    expect(await block({ chainId: 2 })).toEqual(missing);
    expect(await rpc(own, 'eth_blockNumber', [], { chainId: 1 })).toEqual(missing);
  });

  it('is not forwarded for a token that the database does not know, nor for another bot', async () => {
    const nobody = { ...own, machineToken: newMachineToken() };
    expectProblem(await post(nobody, request('eth_blockNumber'), CHAIN), 401, 'token_invalid');
    const other = { ...own, botId: crypto.randomUUID() };
    expect(await rpc(other, 'eth_blockNumber', [], CHAIN)).toEqual(rpcError(4100, 'resource_not_found'));
    expect(node.calls).toEqual([]);
  });

  it('of a batch is answered in its place, at most four at a time', async () => {
    let [open, most] = [0, 0];
    const waiting: (() => void)[] = [];
    node.respond = ({ id, params }, response) => {
      most = Math.max(most, ++open);
      waiting.push(() => {
        open--;
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result: params[0] }));
      });
      // A fifth request would arrive within this time, if there were one.
      if (open === 4) {
        setTimeout(() => {
          for (const end of waiting.splice(0)) end();
        }, 50);
      }
      return undefined;
    };
    const items = Array.from({ length: 20 }, (_, id) => request('eth_getBalance', [`0x${id}`], id));
    const { json } = await post(own, items, CHAIN);
    expect(json).toEqual(items.map(({ id, params }) => ({ jsonrpc: '2.0', id, result: params[0] })));
    expect(most).toBe(4);
  });
});

describe('an error of the node', () => {
  it('is passed on with its code, message and data in hex', async () => {
    const error = { code: 3, message: 'execution reverted: no', data: '0x08c379a0' };
    node.respond = () => ({ error });
    expect((await block()).error).toEqual(error);
  });

  it.each([
    ['the URL', () => `cannot connect to ${node.url}`],
    ['the API key', () => `project ${node.secret} has no quota`],
    ['the API key in upper case', () => `PROJECT ${node.secret.toUpperCase()}`],
    ['the host', () => `no route to ${new URL(node.url).host}`],
    ['any URL', () => 'see wss://another.example/x'],
    ['too much', () => 'x'.repeat(513)],
    ['no text', () => ({ message: node.url })],
  ])('loses a message with %s', async (_, message) => {
    node.respond = () => ({ error: { code: -32000, message: message(), data: { url: node.url } } });
    expect((await block()).error).toEqual({ code: -32000, message: 'The node rejected the request' });
  });

  it('with a malformed code gets another', async () => {
    node.respond = () => ({ error: { code: 'x', message: 'no' } });
    expect((await block()).error).toEqual({ code: -32603, message: 'no' });
  });
});

describe('a node that', () => {
  const respond = (status: number, body: string, headers = {}) =>
    ((_, response) => {
      response.writeHead(status, headers).end(body);
      return undefined;
    }) satisfies Respond;
  const result = JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x1' });

  it.each<[string, Respond, string]>([
    [
      'sends HTML',
      respond(200, '<html>Sign in</html>', { 'content-type': 'text/html' }),
      'rpc_node_response_invalid',
    ],
    ['sends nothing', respond(200, ''), 'rpc_node_response_invalid'],
    ['sends a list', respond(200, `[${result}]`), 'rpc_node_response_invalid'],
    ['sends another id', () => ({ id: 2, result: '0x1' }), 'rpc_node_response_invalid'],
    ['sends no id', respond(200, '{"jsonrpc":"2.0","result":"0x1"}'), 'rpc_node_response_invalid'],
    ['sends neither a result nor an error', () => ({}), 'rpc_node_response_invalid'],
    ['sends its own URL', () => ({ result: node.url }), 'rpc_node_response_invalid'],
    ['rejects its API key', respond(403, 'Forbidden'), 'rpc_node_response_invalid'],
    ['is busy', respond(429, 'Too many requests'), 'rpc_node_unavailable'],
    ['is down', respond(502, 'Bad gateway'), 'rpc_node_unavailable'],
    ['hangs up', (_, response) => void response.destroy(), 'rpc_node_unavailable'],
    ['never responds', () => undefined, 'rpc_node_unavailable'],
    [
      'sends one byte and no more',
      (_, response) => void response.writeHead(200).write('{'),
      'rpc_node_unavailable',
    ],
    ['states 100 MB', respond(200, '', { 'content-length': '100000000' }), 'rpc_node_unavailable'],
  ])('%s -> -32603 without a part of its URL', async (_, response, code) => {
    node.respond = response;
    const { text, json } = await post(own, request('eth_blockNumber'), CHAIN);
    expect(json.error).toMatchObject({ code: -32603, data: { code } });
    expect(text).not.toContain(node.secret);
    expect(text).not.toContain('127.0.0.1');
  });

  it('sends 100 MB -> the connection ends after 1 MiB', async () => {
    let written = 0;
    node.respond = (_, response) => {
      response.writeHead(200);
      const more = () => {
        while (written < 100_000_000 && !response.destroyed) {
          written += 65_536;
          if (!response.write(' '.repeat(65_536))) return void response.once('drain', more);
        }
        response.end(result);
      };
      more();
      return undefined;
    };
    expect(await block()).toEqual(rpcError(-32603, 'rpc_node_response_invalid'));
    expect(written).toBeLessThan(20_000_000);
  });

  it.each([301, 302, 303, 307, 308])('redirects by %i is not followed', async (status) => {
    node.respond = respond(status, result, { location: second.url });
    expect(await block()).toEqual(rpcError(-32603, 'rpc_node_response_invalid'));
    expect(second.calls).toEqual([]);
  });

  it('fails is in the log, without its URL', async () => {
    node.respond = respond(502, 'Bad gateway');
    const { texts, lines } = listenToLog();
    await block();
    expect(texts().join('\n')).not.toMatch(new RegExp(`${node.secret}|v3|127\\.0\\.0\\.1`));
    expect(lines('rpc_node_failed')).toEqual([
      {
        level: 'error',
        event: 'rpc_node_failed',
        request_id: expect.any(String),
        code: 'rpc_node_unavailable',
      },
    ]);
    expect(lines('request')).toMatchObject([{ code: 'rpc_node_unavailable', status: 200 }]);
    vi.restoreAllMocks();
  });
});

describe('RPC_URLS', () => {
  const ready = async (env: object) => (await call('GET /ready', { env })).json.dependencies.rpc_settings;

  it.each([
    ['http', '{"1":"http://node.example"}'],
    ['http to this machine, outside of development', JSON.stringify({ 1: 'http://127.0.0.1:8545' })],
    ['another scheme', '{"1":"file:///etc/passwd"}'],
    ['a user and a password', '{"1":"https://me:secret@node.example"}'],
    ['a chain in hex', '{"0x1":"https://node.example"}'],
    ['chain 0', '0=https://node.example'],
    ['a chain twice', '1=https://a.example,1=https://b.example'],
    ['no chain', 'https://node.example'],
    ['an empty object', '{}'],
    ['half an object', '{"1":'],
    ['a number as URL', '{"1":1}'],
  ])('with %s -> /ready names it, methods that need a node fail, and signing works', async (_, RPC_URLS) => {
    const env = { ...settings(), RPC_URLS };
    expect(await ready(env)).toMatchObject({ status: 'failing', code: 'rpc_settings_malformed' });
    expect(await block({ env })).toEqual(rpcError(-32603, 'rpc_settings_malformed'));
    expect((await rpc(own, 'personal_sign', ['0x00', own.key.address], { env })).result).toMatch(/^0x/);
  });

  it.each([
    ['nothing', ''],
    ['an object', '{"1":"https://node.example/v3/key?x=1","8453":"https://b.example"}'],
    ['a list', ' 1=https://node.example/v3/key?x=1 , 8453=https://b.example '],
  ])('with %s -> ok', async (_, RPC_URLS) => {
    expect(await ready({ ...settings(), RPC_URLS })).toEqual({ status: 'ok' });
  });

  it('in development may name this machine by http, and no other', async () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '127.1.2.3']) {
      expect(await ready(development(`1=http://${host}:1`))).toEqual({ status: 'ok' });
    }
    for (const host of ['10.0.0.1', 'localhost.example', '127.0.0.1.example', '0.0.0.0', '169.254.169.254']) {
      expect(await ready(development(`1=http://${host}:1`))).toMatchObject({ status: 'failing' });
    }
  });

  it.each(['1=x', '1=0', '{"1":1}', '1=-1', '1=1.5'])(
    'RPC_FEE_CAPS %s is malformed',
    async (RPC_FEE_CAPS) => {
      expect(await ready({ ...settings(), RPC_FEE_CAPS })).toMatchObject({ code: 'rpc_settings_malformed' });
    },
  );
});
