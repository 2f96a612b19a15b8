/** Concurrent requests with the same Idempotency-Key: one does the work, the others wait for it and get its response. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import type { Outcome } from '../support/outcome.ts';
import { accessToken } from '../support/people.ts';
import type { Client } from '../support/rows.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';
import * as act from './actions.ts';
import { request, Sessions } from './sessions.ts';
import { Signers } from './signers.ts';

const COPIES = 6;
const ROUNDS = 8;
const sessions = new Sessions();
const { sql } = sessions;
const signers = new Signers(24);
afterAll(() => Promise.all([sessions.end(), signers.end()]));

const { userId: admin } = await sessions.newAdmin();
const copies = (action: act.Action, key = act.newOnce()) =>
  Array.from({ length: COPIES }, () => act.once(action, key));
const ok = (count = COPIES): Outcome[] => Array.from({ length: count }, () => 'ok');

async function newClientWithKey(): Promise<Client> {
  const client = await sessions.newClient();
  await sessions.newKey(client);
  return client;
}

interface Race {
  readonly name: string;
  readonly prepare: () => Promise<{ action: act.Action; client: Client }>;
  /** The rows that one request leaves, and so the rows that all concurrent requests together leave. */
  readonly left: (client: Client) => Promise<unknown>;
}

const keyVersion = async ({ clientId }: Client) =>
  (await sql`select key_version from public.clients where id = ${clientId}`)[0]?.key_version;
const bots = async ({ clientId }: Client) =>
  (await sql`select count(*)::int from public.bots where client_id = ${clientId}`)[0]?.count;

const RACES: readonly Race[] = [
  {
    name: 'create_client',
    async prepare() {
      const email = `${randomUUID()}@races.test`;
      // Only the e-mail identifies the client.
      return { action: act.createClient(admin, email), client: { clientId: email, userId: admin } };
    },
    left: async ({ clientId: email }) =>
      (await sql`select count(*)::int from public.clients where email = ${email}`)[0]?.count,
  },
  {
    name: 'setup_bot with the first key',
    async prepare() {
      const client = await sessions.newClient();
      return { action: act.setupBot(client, sealedWallet(client.clientId)), client };
    },
    left: async (client) => [await bots(client), await keyVersion(client)].join() === '1,1' && 1,
  },
  {
    name: 'create_bot',
    async prepare() {
      const client = await newClientWithKey();
      return { action: act.createBot(client, admin, [sealedWallet(client.clientId)]), client };
    },
    left: bots,
  },
  {
    name: 'rotate_key',
    async prepare() {
      const client = await newClientWithKey();
      return { action: act.rotateKey(client), client };
    },
    left: async (client) => (await keyVersion(client)) - 1,
  },
];

describe.each(RACES)('$name, sent by six concurrent requests with one key', ({ prepare, left }) => {
  it('is executed once, in sessions', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { action, client } = await prepare();
      expect(await sessions.race(copies(action))).toEqual(ok());
      expect(await left(client)).toBe(1);
    }
  });

  it('is executed once, through the REST API', async () => {
    const { action, client } = await prepare();
    const key = act.newOnce();
    expect(await Promise.all(copies(action, key).map((copy) => request(copy)))).toEqual(ok());
    expect(await left(client)).toBe(1);
  });

  it('is executed once, if the key has an expired answer from yesterday', async () => {
    const { action, client } = await prepare();
    const key = act.newOnce();
    await sql`insert into private.kept_answers (caller, key, fingerprint, operation, answer, expires_at)
      values (${`account ${action.by}`}, decode(${key.key}, 'hex'), sha256(''), 'another', '{}', now())`;
    expect(await sessions.race(copies(action, key))).toEqual(ok());
    expect(await left(client)).toBe(1);
  });

  it('is rejected for all but the first request, if the requests differ', async () => {
    const { action, client } = await prepare();
    const requests = ['a', 'b', 'c'].flatMap((body) =>
      copies(action, act.newOnce(client.clientId, body)).slice(0, 3),
    );
    const outcomes = await sessions.race(requests);
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(3);
    expect(new Set(outcomes)).toEqual(new Set(['ok', 'PT422 idempotency_key_reused']));
    expect(await left(client)).toBe(1);
  });
});

describe('a signature under a 24-hour limit', () => {
  const signing = {
    kind: 'evm.transaction',
    chain_id: '1',
    recipients: [],
    value: '7',
    digest: 'ab'.repeat(32),
  };

  it('reserves its value once for all requests with one key, and only as many keys as fit the limit get a signature', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const [[bot = ''], [token = raise()]] = [bots, tokens];
    await sql`insert into public.bot_policies (bot_id, client_id, max_value_24h)
      values (${bot}, ${client.clientId}, 100)`;
    const keys = Array.from({ length: 20 }, () => act.newOnce());
    const asked = Array.from({ length: 5 }, () => keys).flat();
    const outcomes = await Promise.all(asked.map((key) => signers.checkOut(token, bot, signing, 0, key)));
    const byKey = keys.map((key) => new Set(outcomes.filter((_, i) => asked[i] === key)));
    expect(byKey.filter((seen) => seen.size > 1)).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(14 * 5);
    expect(new Set(outcomes)).toEqual(new Set(['ok', 'PT403 policy_value_24h_exceeded']));
    const [row] =
      await sql`select sum(value)::int, count(*)::int from public.value_reservations where bot_id = ${bot}`;
    expect(row).toEqual({ sum: 98, count: 14 });
  });
});

describe('all operations at once, each sent twice with the same key', () => {
  it('ends without a deadlock, and the invariants of the client hold', async () => {
    const seen = new Map<Outcome, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 2, tokens: 1 });
      const [[bot = '', other = ''], [token = raise()]] = [bots, tokens];
      await sql`insert into public.bot_policies (bot_id, client_id, max_value_24h)
        values (${bot}, ${client.clientId}, 1000)`;
      const value = {
        kind: 'evm.transaction',
        chain_id: '1',
        recipients: [],
        value: '1',
        digest: 'ab'.repeat(32),
      };
      const signing = Array.from({ length: 6 }, () => act.newOnce()).flatMap((key) => [
        signers.checkOut(token, bot, value, 0, key),
        signers.checkOut(token, other, value, 0, key),
        signers.checkOut(token, bot, value, 0, key),
      ]);
      const stops = [act.stopBot(other, client.userId), act.stopBot(other, admin)];
      const repeated = [
        act.rotateKey(client),
        act.startBot(other, client.userId),
        act.setupBot(client),
        round % 2 ? act.addWallet(other, admin, sealedWallet(client.clientId)) : act.createBot(client, admin),
      ].flatMap((action) => copies(action).slice(0, 2));
      // A stop is repeatable by itself and stores no key.
      const actions = [...repeated, ...stops, ...stops];
      for (const outcome of (await Promise.all([sessions.race(actions), ...signing])).flat())
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      expect(await violationsOf(sql, [client.clientId])).toEqual([]);
    }
    const known = ['ok', 'PT409 bot_not_running', 'PT409 wallet_key_changed', 'PT422 idempotency_key_reused'];
    expect([...seen.keys()].filter((outcome) => !known.includes(outcome))).toEqual([]);
    expect(seen.get('ok')).toBeGreaterThan(ROUNDS * 12);
  });
});

describe('the second of two concurrent requests', () => {
  const connections = postgres(inject('databaseUrl'), { max: 3, onnotice: () => {}, prepare: false });
  afterAll(() => connections.end({ timeout: 1 }));

  /** A transaction of the admin that stays open until the test ends it. */
  async function open(level = 'read committed', by = admin) {
    const connection = await connections.reserve();
    const claims = JSON.stringify({ sub: by, role: 'authenticated' });
    await connection.unsafe(`begin isolation level ${level}`);
    await connection`select set_config('role', 'authenticated', true), set_config('request.jwt.claims', ${claims}, true),
      set_config('request.jwt.claim.sub', ${by}, true)`;
    const [{ pid = 0 } = {}] = await connection<{ pid: number }[]>`select pg_backend_pid() as pid`;
    return {
      pid,
      ask: async (email: string, key: act.Once): Promise<{ id: string; replayed?: boolean }> => {
        const [row] =
          await connection`select public.create_client('x', ${email}, ${sql.json({ ...key })}) as answer`;
        return row?.answer;
      },
      end: async (how: 'commit' | 'rollback') => {
        await connection.unsafe(how);
        connection.release();
      },
    };
  }
  /** Waits until the backend waits for the first request; throws if it has responded instead. */
  async function waits(pid: number, answer: Promise<unknown>): Promise<void> {
    let answered = false;
    const note = () => {
      answered = true;
    };
    void answer.then(note, note);
    while (!answered) {
      const found = await sql`select from pg_locks where pid = ${pid} and not granted`;
      if (found.length > 0) return;
    }
    throw new Error('The second request did not wait for the first.');
  }

  it('waits for the first request and gets its response', async () => {
    const [one, two, key] = [await open(), await open(), act.newOnce()];
    const email = `${randomUUID()}@races.test`;
    const first = await one.ask(email, key);
    const second = two.ask(email, key);
    await waits(two.pid, second);
    await one.end('commit');
    expect(await second).toEqual({ ...first, replayed: true });
    await two.end('commit');
  });

  it('does the work itself, if the first request fails', async () => {
    const [one, two, key] = [await open(), await open(), act.newOnce()];
    const email = `${randomUUID()}@races.test`;
    const first = await one.ask(email, key);
    const second = two.ask(email, key);
    await waits(two.pid, second);
    await one.end('rollback');
    const answer = await second;
    expect(answer.replayed).toBeUndefined();
    expect(answer.id).not.toBe(first.id);
    await two.end('commit');
    expect(await sql`select id from public.clients where email = ${email}`).toEqual([{ id: answer.id }]);
  });

  it.each(['repeatable read', 'serializable'])(
    'with a %s snapshot that is older than the answer, does nothing',
    async (level) => {
      const [one, two, key] = [await open(), await open(level), act.newOnce()];
      await two.ask(`${randomUUID()}@races.test`, act.newOnce());
      const [email, other] = [`${randomUUID()}@races.test`, `${randomUUID()}@races.test`];
      await one.ask(email, key);
      await one.end('commit');
      // With another e-mail: only the key could cause a rejection.
      await expect(two.ask(other, key)).rejects.toMatchObject({ code: '40001' });
      await two.end('rollback');
      expect(await sql`select from public.clients where email = ${other}`).toHaveLength(0);
    },
  );

  it('from another caller with the same key does not wait', async () => {
    const [one, two] = [await open(), await open('read committed', (await sessions.newAdmin()).userId)];
    const key = act.newOnce();
    const first = await one.ask(`${randomUUID()}@races.test`, key);
    const second = await two.ask(`${randomUUID()}@races.test`, key);
    expect([second.replayed, second.id === first.id]).toEqual([undefined, false]);
    await one.end('commit');
    await two.end('commit');
  });

  it('does not wait for a transaction that has locked an expired answer', async () => {
    const [holder, two, old] = [await connections.reserve(), await open(), act.newOnce()];
    await sessions.race([act.once(act.createClient(admin, `${randomUUID()}@races.test`), old)]);
    await sql`update private.kept_answers set expires_at = now() - interval '1 year' where key = decode(${old.key}, 'hex')`;
    await holder.unsafe('begin');
    await holder`select from private.kept_answers where key = decode(${old.key}, 'hex') for update`;
    await two.ask(`${randomUUID()}@races.test`, act.newOnce());
    await two.end('commit');
    await holder.unsafe('rollback');
    holder.release();
  });
});

describe('a caller with 1,000 stored responses', () => {
  const kept = async (by: string) =>
    (
      await sql<{ count: number }[]>`select count(*)::int from private.kept_answers
      where caller = ${`account ${by}`}`
    )[0]?.count;

  it('concurrent requests do not wait for each other, and the next request leaves the newest 1,000', async () => {
    const { userId: by } = await sessions.newAdmin();
    await sql`insert into private.kept_answers (caller, key, fingerprint, operation, answer, expires_at)
      select ${`account ${by}`}, sha256(n::text::bytea), sha256(''), 'x', '{}', now() + interval '23 hours'
      from generate_series(1, 1000) as n`;
    const ask = () => act.once(act.createClient(by, `${randomUUID()}@races.test`), act.newOnce());
    expect(await sessions.race(Array.from({ length: 10 }, ask))).toEqual(ok(10));
    expect(await kept(by)).toBeLessThanOrEqual(1010);
    expect(await sessions.race([ask()])).toEqual(ok(1));
    expect(await kept(by)).toBe(1000);
    const [made] = await sql`select count(*)::int from private.kept_answers
      where caller = ${`account ${by}`} and operation = 'create_client'`;
    expect(made?.count).toBe(11);
  });
});

describe('stored responses', () => {
  it.each(['public', 'private'])('cannot be read through the REST API: schema %s', async (profile) => {
    const token = await accessToken({ sub: admin });
    const response = await fetch(`${inject('supabaseUrl')}/rest/v1/kept_answers?select=*`, {
      headers: {
        apikey: inject('publishableKey'),
        authorization: `Bearer ${token}`,
        'accept-profile': profile,
      },
    });
    expect(response.ok).toBe(false);
    expect([404, 406]).toContain(response.status);
  });
});

function raise(): never {
  throw new TypeError('a value is missing');
}
