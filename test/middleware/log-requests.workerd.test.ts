/** One log line for each request, with fixed words only: nothing that a caller sends is in it, wherever it was sent. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { seal } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { newMachineToken } from '../../src/machine-token.ts';
import { PROBLEM_CODES } from '../../src/problem.ts';
import { type Call, call, MASTER_KEY, settings } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import { emptyProject } from '../support/empty-project.ts';
import { type LogLine, listenToLog } from '../support/log-lines.ts';
import { NOT_DESCRIBED, type Operation, operations, tokenFor } from '../support/operations.ts';
import { newAdmin } from '../support/people.ts';
import { newEvmKey, newSolanaKey, repeats } from '../support/private-keys.ts';
import { newClientWithRunner, sign } from '../support/runners.ts';

const admin = await newAdmin();
const own = await newClientWithBot();

afterEach(() => {
  vi.restoreAllMocks();
});

/** Sends one request, and returns its log line. */
async function lineOf(line: string, more: Call = {}): Promise<LogLine> {
  const log = listenToLog();
  await call(line, more);
  const lines = log.lines('request');
  expect(lines).toHaveLength(1);
  vi.restoreAllMocks();
  return lines[0] as LogLine;
}

const ready = await emptyProject();

describe('the line of a request', () => {
  const { token } = admin;
  it('has the route, the result and the duration', async () => {
    const headers = { 'x-request-id': 'order-66' };
    expect(await lineOf(`GET /clients/${own.clientId}/bots?limit=2`, { token, headers })).toEqual({
      level: 'info',
      event: 'request',
      request_id: 'order-66',
      method: 'GET',
      route: '/clients/{id}/bots',
      status: 200,
      duration_ms: expect.any(Number),
      database_ms: expect.any(Number),
      database_calls: 1,
      client_id: own.clientId,
    });
  });

  it.each<[string, Call, object]>([
    ['GET /health', {}, { route: '/health', status: 200, database_calls: 0, level: 'info' }],
    ['HEAD /health', {}, { method: 'HEAD', route: '/health', status: 200 }],
    ['GET /ready', { env: ready }, { route: '/ready', status: 200, level: 'info' }],
    ['GET /ready', { env: {} }, { route: '/ready', status: 503, level: 'error' }],
    ['GET /openapi.json', {}, { route: '/openapi.json', status: 200 }],
    ['GET /docs', {}, { route: '/docs', status: 302 }],
    ['GET /clients', {}, { route: '/clients', status: 401, code: 'authentication_required', level: 'info' }],
    ['GET /clients', { token: 'x' }, { status: 401, code: 'token_invalid', database_calls: 0 }],
    ['GET /clients/x', { token }, { route: '/clients/{id}', status: 422, code: 'validation_failed' }],
    ['PATCH /clients', { token }, { route: null, status: 405, code: 'method_not_allowed', method: 'PATCH' }],
    ['GET /nothing/here', { token }, { route: null, status: 404, code: 'route_not_found' }],
    ['POST /clients', { token, body: '{' }, { route: '/clients', status: 400, code: 'json_malformed' }],
    [
      'POST /clients',
      { token, body: 'x'.repeat(70_000) },
      { route: '/clients', status: 413, code: 'body_too_large' },
    ],
    [
      `GET /bots/${own.botId}`,
      { token },
      { route: '/bots/{id}', bot_id: own.botId, client_id: own.clientId, database_calls: 1 },
    ],
    [
      'GET /clients',
      { token, env: { ...settings(), SUPABASE_URL: 'http://127.0.0.1:9' } },
      { status: 503, code: 'database_unavailable', level: 'error', database_calls: 1 },
    ],
  ])('%s', async (line, more, expected) => {
    expect(await lineOf(line, more)).toMatchObject(expected);
  });

  it('of a bot names its client once the database has returned it', async () => {
    const runner = await newClientWithRunner();
    const about = async (run: () => Promise<unknown>) => {
      const log = listenToLog();
      await run();
      const [line] = log.lines('request');
      vi.restoreAllMocks();
      return line;
    };
    const ask = () => sign(runner, { type: 'evm.message', message: 'x' });
    expect(await about(ask)).toMatchObject({ bot_id: runner.botId, client_id: runner.clientId });
    const absent = crypto.randomUUID();
    const missing = await lineOf(`GET /bots/${absent}`, { token });
    expect([missing.code, missing.bot_id, missing.client_id]).toEqual([
      'resource_not_found',
      absent,
      undefined,
    ]);
  });
});

describe('Server-Timing', () => {
  it('adds the duration to the response only in development', async () => {
    const ask = async (env: object) =>
      (await call('GET /clients', { token: admin.token, env: { ...settings(), ...env } })).headers.get(
        'server-timing',
      );
    expect(await ask({ ENVIRONMENT: 'development' })).toMatch(
      /^total;dur=\d+, database;dur=\d+;desc="1 calls"$/,
    );
    for (const env of [{}, { ENVIRONMENT: '' }, { ENVIRONMENT: 'production' }]) {
      expect(await ask(env)).toBeNull();
    }
  });
});

describe('secrets in any field that a caller can set', async () => {
  const [evm, solana] = [newEvmKey(), newSolanaKey()];
  const binding = { clientId: own.clientId, chain: 'evm', address: evm.address, keyId: crypto.randomUUID() };
  const SECRETS: Record<string, string> = {
    'an EVM key': evm.privateKey,
    'an EVM key without 0x': bytesToHex(evm.secret),
    'an EVM key in capitals': bytesToHex(evm.secret).toUpperCase(),
    'a Solana key': solana.privateKey,
    'a Solana seed': base58.encode(solana.secret),
    'a key in base64url': btoa(String.fromCharCode(...evm.secret))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', ''),
    'a machine token': newMachineToken(),
    'a session': admin.token,
    'an envelope': await seal(evm.secret, binding, await parseKeyring(MASTER_KEY)),
    'a master key': MASTER_KEY,
  };
  const ROUTES = [null, ...NOT_DESCRIBED, ...operations.map(({ path }) => path)];
  const FIELDS =
    'level event request_id method route status code duration_ms database_ms database_calls client_id bot_id'.split(
      ' ',
    );

  /** Requests for one operation, with a secret in every field that a caller can set. */
  function requests({ line, takesBody }: Operation, secret: string): [string, Call][] {
    const token = tokenFor(line, admin.token);
    const encoded = encodeURIComponent(secret);
    const path = (id: string) => line.replace('{id}', id);
    const id = line.includes('/clients/') ? own.clientId : own.botId;
    const body = {
      ...{ name: secret, private_key: secret, address: secret, client_id: secret, bot_type: secret },
      ...{ email: `${secret.slice(0, 40)}@example.test`, config: { [secret]: secret }, wallet: secret },
      ...{ type: secret, message: secret, status: secret, metrics: { [secret]: secret }, [secret]: secret },
    };
    const taken = (value: unknown): Call => (takesBody ? { token, body: value } : { token });
    return [
      [path(encoded), taken(body)],
      [`${path(id)}/${encoded}`, taken(body)],
      [`${path(id)}?limit=${encoded}&cursor=${encoded}&${encoded}=1`, taken(body)],
      [path(id), { token: secret.replaceAll(/[^\w.~+/-]/g, '') }],
      [path(id), { headers: { authorization: secret } }],
      [
        path(crypto.randomUUID()),
        {
          ...taken(`{"private_key": "${secret}`),
          headers: {
            'x-request-id': secret,
            'user-agent': secret,
            cookie: `session=${secret}`,
            referer: `https://example.test/${encoded}`,
            'idempotency-key': secret,
            'content-type': `application/json; profile=${encoded}`,
            'x-forwarded-for': secret,
            origin: `https://${encoded}.example.test`,
          },
        },
      ],
      [path(crypto.randomUUID()), { ...taken(secret), headers: { 'content-type': secret } }],
    ];
  }

  it.each(operations)('$line: are in no log line, response or header', async (operation) => {
    const log = listenToLog();
    const secrets = Object.values(SECRETS);
    // Every field of every route has a secret, and over all routes every secret is in every field.
    const first = operations.indexOf(operation);
    for (const place of requests(operation, '').keys()) {
      const secret = secrets[(first + place) % secrets.length] ?? '';
      const [line, more] = requests(operation, secret)[place] ?? [''];
      const { headers, text } = await call(line, more);
      // The header of a JWT or an envelope is public: checkpoints begin with the same letters.
      const withoutHeader = secret.replace(/^eyJ[^.]*\./, '');
      expect([place, repeats(JSON.stringify([text, [...headers]]), withoutHeader)]).toEqual([place, false]);
    }
    const lines = log.lines('request');
    expect(lines.length).toBe(requests(operation, '').length);
    for (const [kind, secret] of Object.entries(SECRETS)) {
      expect([kind, log.texts().filter((text) => repeats(text, secret))]).toEqual([kind, []]);
    }
    for (const line of lines) {
      expect(Object.keys(line).filter((name) => !FIELDS.includes(name))).toEqual([]);
      expect(ROUTES).toContain(line.route);
      expect([undefined, ...PROBLEM_CODES]).toContain(line.code);
      expect(line.request_id).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it.each(Object.entries(SECRETS))('%s is too long to be a request id', async (_, secret) => {
    const { headers } = await call('GET /health', { headers: { 'x-request-id': secret } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
