/** Chains while many callers write, read and chain at once: no chain forks, no event is lost or chained twice. */
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { verifyChain } from '../../src/sdk/audit.ts';
import { asAuditClient, rowsOf } from '../support/audit.ts';
import { retryWhileBusy } from '../support/outcome.ts';
import type { Client, TokenRow } from '../support/rows.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';
import * as act from './actions.ts';
import { Sessions } from './sessions.ts';
import { Signers } from './signers.ts';

const sessions = new Sessions();
const chainers = postgres(inject('databaseUrl'), { max: 8, onnotice: () => {}, prepare: false });
afterAll(() => Promise.all([sessions.end(), chainers.end({ timeout: 1 })]));

const verify = (client: Client) =>
  chainers.begin((sql) => verifyChain(asAuditClient(sql, client), client.clientId));
const chain = (sql: postgres.ISql, { clientId }: Client, atMost = 1000, waits = true) =>
  sql<[{ chained: number }]>`select private.chain_key_events(${clientId}, ${atMost}, ${waits}) as chained`;
const queued = async ({ clientId }: Client) => {
  const [row] = await sessions.sql`
    select count(*)::int as n from private.queued_key_events where client_id = ${clientId}`;
  return row?.n as number;
};

const total = async ({ clientId }: Client) => {
  const [row] = await sessions.sql`
    select count(*)::int as n from private.every_key_event where client_id = ${clientId}`;
  return row?.n as number;
};

async function signTimes(times: number, token: TokenRow, bots: readonly string[]): Promise<void> {
  const signers = new Signers(8);
  for (let i = 0; i < times; i += 8) {
    await Promise.all(Array.from({ length: 8 }, () => signers.checkOut(token, bots[0] ?? '')));
  }
  await signers.end();
  expect(signers.count('ok')).toBe(times);
}

/** A client with a chain of `before` rows, and `waiting` further events in the queue, most of them signatures. */
async function withQueue(signatures: number) {
  const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 2, tokens: 1 });
  await chain(sessions.sql, client);
  const before = await total(client);
  await signTimes(signatures, tokens[0] ?? raise(), bots);
  return { client, bots, token: tokens[0] ?? raise(), before, waiting: (await total(client)) - before };
}

describe('sixteen signers, rotations, stops, readers and chainers at once', () => {
  it('make one chain, which contains every action and nothing else', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 4, tokens: 2 });
    const signers = new Signers(16);
    for (let i = 0; i < 16; i++) signers.start(tokens[i % 2] ?? raise(), bots[i % 4] ?? raise());
    let going = true;
    onTestFinished(() => {
      going = false;
    });
    // Signers and changers fill the queue for the client's locks, so that readers and chainers may find no place in it.
    const until = async (work: () => Promise<unknown>) => {
      while (going) await retryWhileBusy(work);
    };
    const verdicts: unknown[] = [];
    const others = [
      until(async () => verdicts.push((await verify(client)).misfit)),
      until(async () => verdicts.push((await verify(client)).misfit)),
      until(() => chain(chainers, client, 7)),
      until(() => chain(chainers, client, 50, false)),
      // A chainer that rolls back in the middle.
      until(() =>
        chainers
          .begin(async (sql) => {
            await chain(sql, client, 20);
            throw new TypeError('gave up');
          })
          .catch(() => {}),
      ),
    ];
    let [rotations, stops] = [0, 0];
    for (let round = 0; round < 10; round++) {
      const changers = [act.rotateKey(client), act.updateKey(client, act.OPERATOR)];
      expect(await sessions.race(changers)).toEqual(['ok', 'ok']);
      rotations += 2;
      const bot = bots[round % 4] ?? raise();
      expect(await sessions.race([act.stopBot(bot, client.userId)])).toEqual(['ok']);
      expect(await sessions.race([act.startBot(bot, client.userId)])).toEqual(['ok']);
      stops += 1;
      await wait(20);
    }
    await signers.end();
    going = false;
    await Promise.all(others);

    expect(new Set(verdicts)).toEqual(new Set([null]));
    expect(await verify(client)).toMatchObject({ misfit: null });
    expect(await queued(client)).toBe(0);
    const rows = await rowsOf(sessions.sql, client);
    const count = (event: string) => rows.filter((row) => row.event === event).length;
    expect({
      signed: count('key_released'),
      rotated: count('key_rotated'),
      stopped: count('bot_stopped'),
      started: count('bot_started'),
      firstUses: count('token_first_used'),
    }).toEqual({
      signed: signers.count('ok'),
      rotated: rotations,
      stopped: stops,
      started: 4 + stops,
      firstUses: 2,
    });
    expect(rows.at(-1)?.signatures).toBe(signers.count('ok'));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    // Every signature is between the two key changes between which it was given.
    let inForce: string | null = null;
    for (const { event, key_id } of rows) {
      if (event === 'key_added' || event === 'key_rotated') inForce = key_id;
      if (event === 'key_released') expect(key_id).toBe(inForce);
    }
    expect(
      [...signers.outcomes.keys()].filter((outcome) => !['ok', 'PT409 bot_not_running'].includes(outcome)),
    ).toEqual([]);
  });
});

// The cron of other tests may work on these chains too. The assertions hold in that case as well.
describe('a chainer', () => {
  it('and concurrent chainers chain each event once', async () => {
    const { client, waiting, before } = await withQueue(64);
    await Promise.all(Array.from({ length: 6 }, () => chain(chainers, client)));
    expect(await queued(client)).toBe(0);
    expect(await rowsOf(sessions.sql, client)).toHaveLength(before + waiting);
    expect(await verify(client)).toMatchObject({ misfit: null });
  });

  it('that does not wait skips a chain that another chainer has locked', async () => {
    const { client } = await withQueue(8);
    await chainers.begin(async (sql) => {
      await chain(sql, client, 3);
      const [{ chained }] = await chain(chainers, client, 1000, false);
      expect(chained).toBe(0);
    });
  });

  it('that is killed in the middle loses no event', async () => {
    const { client, waiting, before } = await withQueue(16);
    const victim = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {}, onclose: () => {} });
    const killed = victim
      .unsafe(
        `begin; set application_name = 'victim ${client.clientId}';
         select private.chain_key_events('${client.clientId}', 1000, true); select pg_sleep(60)`,
      )
      .simple()
      .catch((error) => error.code);
    const kill = () => chainers`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = ${`victim ${client.clientId}`} and wait_event = 'PgSleep'`;
    while ((await kill()).length === 0) await wait(5);
    expect(await killed).toMatch(/57P01|CONNECTION_/);
    await victim.end({ timeout: 1 });
    expect(await total(client)).toBe(before + waiting);
    expect(await verify(client)).toMatchObject({ misfit: null, rows: before + waiting });
  });

  it('with an older snapshot leaves the queue unchanged', async () => {
    const { client, waiting, before } = await withQueue(8);
    for (const level of ['repeatable read', 'serializable']) {
      const chained = await chainers.begin(`isolation level ${level}`, async (sql) => {
        const [row] = await chain(sql, client);
        return row.chained;
      });
      expect(chained).toBe(0);
    }
    expect(await verify(client)).toMatchObject({ misfit: null, rows: before + waiting });
  });
});

describe('a key change', () => {
  const rotate = (sql: postgres.ISql, { clientId }: Client) => {
    const { address, chain: family, key_id, encrypted_key } = sealedWallet(clientId);
    return sql`select public.rotate_key(
      ${inject('edgeToken')}, ${clientId}, ${address}, ${family}, ${key_id}, ${encrypted_key})`;
  };
  const takeChain = (sql: postgres.ISql, { clientId }: Client) =>
    sql`select pg_advisory_xact_lock(private.lock_of('chain of client', ${clientId}))`;

  it('that is rolled back also rolls back what it chained, and loses no signature', async () => {
    const { client, waiting, before } = await withQueue(16);
    await chainers
      .begin(async (sql) => {
        await takeChain(sql, client);
        await rotate(sql, client);
        expect(await rowsOf(sql, client)).toHaveLength(before + waiting + 1);
        throw new TypeError('rolled back');
      })
      .catch((error) => expect(error).toBeInstanceOf(TypeError));
    expect(await total(client)).toBe(before + waiting);
    expect(await verify(client)).toMatchObject({ misfit: null, rows: before + waiting });
  });

  it('is in the chain when it commits, after every earlier signature', async () => {
    const { client, waiting, before } = await withQueue(16);
    await chainers.begin(async (sql) => {
      await takeChain(sql, client);
      await rotate(sql, client);
    });
    const rows = await rowsOf(sessions.sql, client);
    expect([rows.length, rows.at(-1)?.event]).toEqual([before + waiting + 1, 'key_rotated']);
  });

  it('leaves a long queue to the cron, with its own event at the end', async () => {
    const { client, token, bots } = await withQueue(0);
    await chainers.begin(async (sql) => {
      await takeChain(sql, client);
      await signTimes(120, token, bots);
      await rotate(sql, client);
      const [{ n }] = await sql<[{ n: number }]>`
        select count(*)::int as n from private.queued_key_events
        where client_id = ${client.clientId} and event in ('key_released', 'key_rotated')`;
      expect(n).toBeGreaterThan(0);
      expect((await rowsOf(sql, client)).at(-1)?.event).toBe('key_released');
    });
    expect(await verify(client)).toMatchObject({ misfit: null });
    expect((await rowsOf(sessions.sql, client)).at(-1)?.event).toBe('key_rotated');
  });

  it('goes into the empty queue while another transaction has locked the chain', async () => {
    const { client } = await withQueue(0);
    await chainers.begin(async (sql) => {
      await takeChain(sql, client);
      expect(await sessions.race([act.rotateKey(client)])).toEqual(['ok']);
      expect(await queued(client)).toBe(1);
    });
    expect(await verify(client)).toMatchObject({ misfit: null });
  });

  it('does not wait for a transaction that has locked the chain', async () => {
    const { client } = await withQueue(8);
    await chainers.begin(async (sql) => {
      await chain(sql, client);
      expect(await sessions.race([act.rotateKey(client)])).toEqual(['ok']);
      expect(await queued(client)).toBeGreaterThan(0);
    });
    expect(await verify(client)).toMatchObject({ misfit: null });
    expect((await rowsOf(sessions.sql, client)).at(-1)?.event).toBe('key_rotated');
  });
});

function raise(): never {
  throw new TypeError('a value is missing');
}
