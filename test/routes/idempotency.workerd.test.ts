/** A request that is sent again with its Idempotency-Key is executed once, and gets the first response again. */
import { describe, expect, it } from 'vitest';
import { type Answer, type Call, call } from '../support/api.ts';
import { type ClientWithBot, newClientWithBot, setUp as setupBot } from '../support/bots.ts';
import { operations } from '../support/operations.ts';
import { newAdmin, newClient, operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { bodyOf, lineTo } from '../support/requests.ts';
import { newMachineTokenFor } from '../support/runners.ts';

const admin = await newAdmin();
const withKey = () => ({ private_key: newEvmKey().privateKey });
const newKey = () => `test-${crypto.randomUUID()}`;

interface Repeatable {
  /** The caller whose token is sent. */
  readonly by: 'admin' | 'client' | 'runner';
  /** Changes of the body of `support/requests`. */
  readonly with?: (client: ClientWithBot) => object;
  /** Further changes, for a body with different content. Every body with an e-mail or a key has another one. */
  readonly other?: object;
  /** Counts the rows that one such request leaves. */
  readonly traces: string;
  /** The count for each execution. */
  readonly leaves: number;
}

const BOTS = 'select count(*)::int from public.bots where client_id = $1';
const WALLETS = 'select count(*)::int from public.bot_wallets where client_id = $1';
const TOKENS = 'select count(*)::int from public.machine_tokens where client_id = $1';
const VERSION = 'select key_version as count from public.clients where id = $1';
const STOPS = `select count(*)::int from public.bots where client_id = $1 and stop_reason = 'requested'`;
const BEATS = 'select count(*)::int from public.bot_heartbeats where client_id = $1';
const SIGNED = `select count(*)::int from private.every_key_event where client_id = $1 and event = 'key_released' and not detail ? 'replayed'`;

const REPEATABLE: Readonly<Record<string, Repeatable>> = {
  'POST /clients': {
    by: 'admin',
    with: ({ clientId }) => ({ name: clientId }),
    other: {},
    traces: 'select count(*)::int from public.clients where name = $1',
    leaves: 1,
  },
  'POST /bots/create': { by: 'admin', other: { name: 'Another' }, traces: BOTS, leaves: 1 },
  'POST /bots/{id}/wallets': { by: 'admin', other: {}, traces: WALLETS, leaves: 1 },
  'POST /clients/{id}/setup-bot': { by: 'client', other: {}, traces: BOTS, leaves: 1 },
  'PUT /clients/{id}/rotate-key': { by: 'client', other: {}, traces: VERSION, leaves: 1 },
  // The bot runs already: see below for one that was stopped since.
  'POST /bots/{id}/start': { by: 'client', traces: STOPS, leaves: 0 },
  'POST /bots/{id}/tokens': { by: 'client', other: { name: 'Another' }, traces: TOKENS, leaves: 1 },
  'POST /bots/{id}/heartbeat': { by: 'runner', other: { status: 'failing' }, traces: BEATS, leaves: 1 },
  'POST /bots/{id}/sign': { by: 'runner', other: { message: 'another' }, traces: SIGNED, leaves: 1 },
};
const lines = Object.keys(REPEATABLE);
/** Each item has its own stored response: test/rpc. */
const RPC = 'POST /bots/{id}/rpc';
/** Repeatable by itself: it accepts a key and stores nothing. */
const STOP = 'POST /bots/{id}/stop';
const ALL = Object.entries(REPEATABLE).map(([line, operation]) => ({ line, ...operation }));

/** A new client with a running bot, and a request to it that can be sent any number of times. */
async function prepare({ line, by, with: changes, other, traces }: Repeatable & { line: string }) {
  const client = await newClientWithBot();
  const machineToken = by === 'runner' ? (await newMachineTokenFor(client, client.botId)).machineToken : '';
  const token = { admin: admin.token, client: client.token, runner: machineToken }[by];
  const valid = () => bodyOf(line, client) && { ...bodyOf(line, client), ...changes?.(client) };
  const body = valid();
  const send = (idempotencyKey: string | undefined, change: Call & { line?: string } = {}) =>
    call(lineTo(change.line ?? line, client), { token, body, idempotencyKey, ...change });
  const count = async () => (await operatorSql<{ count: number }>(traces, [client.clientId]))[0]?.count ?? -1;
  return { client, send, count, other: { ...valid(), ...other } };
}

/** The response without the request id and the replay header. */
const told = ({ status, text, headers }: Answer) => ({
  status,
  text,
  headers: [...headers].filter(([name]) => !['x-request-id', 'idempotency-replayed'].includes(name)),
});
const isReplayed = ({ headers }: Answer) => headers.get('idempotency-replayed');

it('covers every POST and the rotation, which describe the header', () => {
  const describing = operations
    .filter(({ parameters }) =>
      parameters?.some(({ name, in: place }) => name === 'Idempotency-Key' && place === 'header'),
    )
    .map(({ line }) => line);
  const changing = operations.map(({ line }) => line).filter((line) => line.startsWith('POST'));
  expect(describing.sort()).toEqual([...changing, 'PUT /clients/{id}/rotate-key'].sort());
  expect([...lines, STOP, RPC].sort()).toEqual(describing.sort());
});

describe(STOP, () => {
  const kept = async (userId: string) =>
    (
      await operatorSql<{ count: number }>(
        'select count(*)::int from private.kept_answers where caller = $1',
        [`account ${userId}`],
      )
    )[0]?.count;

  it('with a key stops the bot each time, replays nothing and stores nothing', async () => {
    const { token, botId, userId } = await newClientWithBot();
    const key = newKey();
    const ask = (verb: string, idempotencyKey?: string) =>
      call(`POST /bots/${botId}/${verb}`, { token, idempotencyKey });
    const first = await ask('stop', key);
    await ask('start');
    const second = await ask('stop', key);
    for (const answer of [first, second]) {
      expect([answer.status, answer.json.status, isReplayed(answer)]).toEqual([200, 'stopped', null]);
    }
    expect(await kept(userId)).toBe(0);
  });

  it('with any number of new keys stores nothing', async () => {
    const { token, botId, userId } = await newClientWithBot();
    for (let calls = 0; calls < 20; calls += 1) {
      const answer = await call(`POST /bots/${botId}/stop`, { token, idempotencyKey: newKey() });
      expect(answer.status).toBe(200);
    }
    expect(await kept(userId)).toBe(0);
  });

  it('with a malformed key -> 400, and the bot still runs', async () => {
    const { token, botId } = await newClientWithBot();
    const answer = await call(`POST /bots/${botId}/stop`, { token, idempotencyKey: 'a b' });
    expectProblem(answer, 400, 'idempotency_key_malformed');
    expect((await call(`GET /bots/${botId}`, { token })).json.status).toBe('running');
  });
});

describe.each(ALL)('$line', (operation) => {
  it('with the same key and body -> the first response, byte for byte, and one execution', async () => {
    const { send, count } = await prepare(operation);
    const before = await count();
    const key = newKey();
    const first = await send(key);
    expect([200, 201]).toContain(first.status);
    expect(isReplayed(first)).toBe(null);
    const again = [await send(key), await send(key)];
    const { token, ...rest } = first.json;
    for (const answer of again) {
      expect(isReplayed(answer)).toBe('true');
      const shown = operation.line.endsWith('/tokens')
        ? { ...told(first), text: JSON.stringify(rest) }
        : told(first);
      expect(told(answer)).toEqual(shown);
    }
    expect((await count()) - before).toBe(operation.leaves);
  });

  it('with the same key, five concurrent requests -> one execution, one response that is not a replay', async () => {
    const { send, count } = await prepare(operation);
    const before = await count();
    const key = newKey();
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => send(key)));
    const first = answers.filter((answer) => isReplayed(answer) === null);
    expect(first).toHaveLength(1);
    const { token, ...shown } = first[0]?.json ?? {};
    for (const { status, json } of answers) {
      expect(status).toBe(first[0]?.status);
      expect({ ...json, token: undefined }).toEqual({ ...shown, token: undefined });
    }
    expect((await count()) - before).toBe(operation.leaves);
  });

  it.runIf(operation.other)('with the same key and another body -> 422, and nothing is done', async () => {
    const { send, count, other } = await prepare(operation);
    const key = newKey();
    await send(key);
    const before = await count();
    expectProblem(await send(key, { body: other }), 422, 'idempotency_key_reused');
    expect(await count()).toBe(before);
    expect(isReplayed(await send(key))).toBe('true');
  });

  it('with the key of another path -> 422', async () => {
    const { send, client } = await prepare(operation);
    const key = newKey();
    await send(key);
    const path = operation.line.split(' ')[1] ?? '';
    const elsewhere = path.includes('/clients')
      ? { line: `POST /bots/${client.botId}/start` }
      : { line: `POST /clients/${client.clientId}/setup-bot`, body: { bot_type: 'evm-grid' } };
    if (operation.by === 'runner') {
      const line = path.endsWith('sign') ? 'POST /bots/{id}/heartbeat' : 'POST /bots/{id}/sign';
      const body = path.endsWith('sign') ? { status: 'ok' } : { type: 'evm.message', message: 'hello' };
      expectProblem(await send(key, { line, body }), 422, 'idempotency_key_reused');
    } else expectProblem(await send(key, elsewhere), 422, 'idempotency_key_reused');
  });

  it.each([
    ['empty', ''],
    ['with a space inside', 'a b'],
    ['twice', 'a, b'],
    ['of 256 characters', newKey().padEnd(256, '.')],
  ])('with a key that is %s -> 400, and nothing is done', async (_, key) => {
    const { send, count } = await prepare(operation);
    const before = await count();
    expectProblem(await send(key), 400, 'idempotency_key_malformed');
    expect(await count()).toBe(before);
  });

  it('with a key and no session -> 401, as without a key', async () => {
    const { send } = await prepare(operation);
    expectProblem(await send('a b', { token: undefined }), 401, 'authentication_required');
  });
});

describe('a key', () => {
  const [setUp = raise()] = ALL.filter(({ line }) => line === 'POST /clients/{id}/setup-bot');

  it('of 255 characters, and of any visible ones, is accepted unchanged', async () => {
    const { send, count } = await prepare(setUp);
    const before = await count();
    const visible = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('');
    for (const key of [newKey().padEnd(255, '.'), `${visible}${newKey()}`, '"quoted"', 'quoted']) {
      expect(isReplayed(await send(key))).toBe(null);
      expect(isReplayed(await send(key))).toBe('true');
    }
    expect((await count()) - before).toBe(4);
  });

  it.each([
    ['with a letter that is not ASCII', 'cl\u00e9'],
    ['with a control character', 'a\u0001b'],
  ])('%s is malformed', async (_, key) => {
    const { send } = await prepare(setUp);
    expectProblem(await send(key), 400, 'idempotency_key_malformed');
  });

  it('belongs to one caller: the request of another caller with the same key is executed too', async () => {
    const [one, two] = [await prepare(setUp), await prepare(setUp)];
    const key = newKey();
    const first = await one.send(key);
    const second = await two.send(key);
    expect([first.status, second.status, isReplayed(second)]).toEqual([201, 201, null]);
    expect(second.text).not.toContain(first.json.id);
  });

  it('of an earlier start does not undo a later stop', async () => {
    const { token, botId } = await newClientWithBot();
    const ask = (what: string, idempotencyKey?: string) =>
      call(`POST /bots/${botId}/${what}`, { token, idempotencyKey });
    const status = async () => (await call(`GET /bots/${botId}`, { token })).json.status;
    const key = newKey();
    const first = await ask('start', key);
    await ask('stop');
    expect((await ask('start', key)).text).toBe(first.text);
    expect(await status()).toBe('stopped');
    await ask('start', newKey());
    expect(await status()).toBe('running');
  });

  it('of the same request to another bot -> 422, and that bot stays stopped', async () => {
    const client = await newClientWithBot();
    const second = await setupBot(client, { bot_type: 'evm-grid' });
    await call(`POST /bots/${second.json.id}/stop`, { token: client.token });
    const start = (botId: string, idempotencyKey: string) =>
      call(`POST /bots/${botId}/start`, { token: client.token, idempotencyKey });
    const key = newKey();
    expect((await start(client.botId, key)).status).toBe(200);
    expectProblem(await start(second.json.id, key), 422, 'idempotency_key_reused');
    const { json } = await call(`GET /bots/${second.json.id}`, { token: client.token });
    expect(json.status).toBe('stopped');
  });

  it('is stored without the config, which a replay takes from the current bot', async () => {
    const client = await newClientWithBot();
    const [key, config] = [newKey(), { notes: 'x'.repeat(16_000) }];
    const send = () =>
      call(`POST /clients/${client.clientId}/setup-bot`, {
        token: client.token,
        body: { bot_type: 'evm-grid', config },
        idempotencyKey: key,
      });
    const first = await send();
    const [row] = await operatorSql<{ bytes: number }>(
      'select max(octet_length(answer::text)) as bytes from private.kept_answers where caller = $1',
      [`account ${client.userId}`],
    );
    expect(row?.bytes).toBeLessThan(1_000);
    expect((await send()).text).toBe(first.text);
    await operatorSql(`update public.bots set config = '{"pair": "ETH/USDC"}' where id = $1`, [
      first.json.id,
    ]);
    const later = await send();
    expect(isReplayed(later)).toBe('true');
    expect(later.json).toEqual({ ...first.json, config: { pair: 'ETH/USDC' } });
  });

  it('of a rejected request can be used again, once the reason is gone', async () => {
    const [client, key] = [await newClient(), newKey()];
    const line = `POST /clients/${client.clientId}/setup-bot`;
    const send = (body: object) => call(line, { token: client.token, body, idempotencyKey: key });
    expectProblem(await send({ bot_type: 'evm-grid' }), 409, 'private_key_required');
    expectProblem(await send({ bot_type: 'no-such-bot', ...withKey() }), 422, 'bot_type_unknown');
    expect((await send({ bot_type: 'evm-grid', ...withKey() })).status).toBe(201);
  });

  it('is bound to the bytes of the body: the same JSON with other white space is another request', async () => {
    const { send } = await prepare(setUp);
    const key = newKey();
    await send(key, { body: '{"bot_type":"evm-grid"}' });
    expectProblem(await send(key, { body: '{"bot_type": "evm-grid"}' }), 422, 'idempotency_key_reused');
    expect(isReplayed(await send(key, { body: '{"bot_type":"evm-grid"}' }))).toBe('true');
  });

  it.each(['GET /clients/{id}/bots', 'PUT /bots/{id}/policy', 'DELETE /clients/{id}/revoke-key'])(
    'with %s is not looked at',
    async (line) => {
      const client = await newClientWithBot();
      const answer = await call(lineTo(line, client), {
        token: client.token,
        body: bodyOf(line, client),
        idempotencyKey: 'a b',
      });
      expect([answer.status, isReplayed(answer)]).toEqual([200, null]);
    },
  );

  it('is stored as a hash, without anything that reveals the body', async () => {
    const { client, send } = await prepare(setUp);
    const key = newKey();
    await send(key);
    const rows = await operatorSql('select t::text as row from private.kept_answers as t where caller = $1', [
      `account ${client.userId}`,
    ]);
    const sha256 = async (text: string) =>
      [...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('');
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(JSON.stringify(rows)).toContain(await sha256(`trading-keys idempotency key\n${key}`));
    expect(JSON.stringify(rows)).not.toContain(await sha256(key));
  });

  it('of yesterday has expired and can be used again', async () => {
    const { client, send, count } = await prepare(setUp);
    const before = await count();
    const key = newKey();
    const first = await send(key);
    await operatorSql(`update private.kept_answers set expires_at = now() where caller = $1`, [
      `account ${client.userId}`,
    ]);
    const second = await send(key);
    expect([second.status, isReplayed(second), second.json.id === first.json.id]).toEqual([201, null, false]);
    expect((await count()) - before).toBe(2);
  });
});

function raise(): never {
  throw new TypeError('not there');
}
