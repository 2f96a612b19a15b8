/**
 * Signing while keys are rotated and revoked, tokens revoked and bots stopped. The order of events comes from the
 * database's own order of commits, not from clocks.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { ISql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import * as act from './actions.ts';
import { CommitOrder } from './commit-order.ts';
import { Sessions } from './sessions.ts';
import { Signers } from './signers.ts';

const sessions = new Sessions();
const order = new CommitOrder();
beforeAll(() => order.begin());
afterAll(() => Promise.all([sessions.end(), order.end()]));

interface Event {
  readonly event: 'key_released' | 'key';
  readonly bot_id?: string;
  /** The key of a signature; for a key change, the key that is current from then on. */
  readonly key_id: string | null;
  readonly token_id?: string;
  readonly xid: string;
}

/**
 * The committed actions, in order. Other transactions move events into the audit chain later, so signers and key changes
 * report their own transaction ids.
 */
async function inOrder(events: readonly Event[]): Promise<(Event & { place: number })[]> {
  const places = await order.places();
  return events
    .map((event) => ({ ...event, place: places.get(event.xid) ?? Number.NaN }))
    .sort((one, other) => one.place - other.place);
}
const signaturesOf = ({ signatures }: Signers): Event[] =>
  signatures.map((signature) => ({ ...signature, event: 'key_released' }));

/** Runs an action in a transaction of its own. Returns the transaction id. */
async function xidOf(text: string, values: string[]): Promise<string> {
  return sessions.sql.begin(async (sql) => {
    await sql.unsafe(text, values);
    const [row] = await sql<[{ xid: string }]>`select pg_current_xact_id()::xid::text as xid`;
    return row.xid;
  });
}

describe('keys that change while twelve connections sign', () => {
  it('release no signature under a key that was not current when the signature committed', async () => {
    const { client, bots, tokens: issued } = await sessions.newClientWithBots({ bots: 3, tokens: 2 });
    let tokens = issued;
    const keyInForce = async (sql: ISql) => {
      const [row] = await sql<[{ key_id: string | null; xid: string }]>`
        select (select key_id from public.trading_keys where client_id = ${client.clientId}) as key_id,
          pg_current_xact_id()::xid::text as xid`;
      return row;
    };
    const changes: Event[] = [];
    const note = async (sql: ISql) => {
      changes.push({ event: 'key', ...(await keyInForce(sql)) });
    };
    let inForce = (await keyInForce(sessions.sql)).key_id;
    const signers = new Signers(12);
    for (let i = 0; i < 12; i++) signers.start(() => tokens[i % 2] ?? raise(), bots[i % 3] ?? raise());
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 3; i++) {
        await wait(40);
        const changers = [act.rotateKey(client), act.updateKey(client, act.OPERATOR)];
        expect(await sessions.race(changers, note)).toEqual(['ok', 'ok']);
      }
      await wait(40);
      const end = round % 2 ? act.revokeKey(client) : act.deleteKey(client);
      expect(await sessions.race([end], note)).toEqual(['ok']);
      const ended = tokens;
      tokens = [await sessions.newToken(client), await sessions.newToken(client)];
      await wait(20);
      expect(await sessions.race([act.insertKey(client, act.OPERATOR)], note)).toEqual(['ok']);
      await sessions.startBots(client);
      // The tokens ended with the key: neither a new key nor a restarted bot makes them valid again.
      for (const token of ended) {
        expect(await signers.checkOut(token, bots[0] ?? raise())).toBe('PT401 token_invalid');
      }
    }
    await wait(40);
    await signers.end();

    const events = await inOrder([...changes, ...signaturesOf(signers)]);
    const wrong: unknown[] = [];
    const perKey = new Map<string, number>();
    for (const event of events) {
      if (Number.isNaN(event.place)) wrong.push(event);
      else if (event.event === 'key') inForce = event.key_id;
      else if (event.key_id !== null && event.key_id === inForce)
        perKey.set(event.key_id, (perKey.get(event.key_id) ?? 0) + 1);
      else wrong.push(event);
    }
    expect(wrong).toEqual([]);
    expect([...perKey.values()].reduce((sum, count) => sum + count, 0)).toBe(signers.count('ok'));
    const [written] = await sessions.sql`
      select count(*)::int as n from private.every_key_event
      where client_id = ${client.clientId} and event = 'key_released'`;
    expect(written?.n).toBe(signers.count('ok'));
    // Most keys were used, so the race took place.
    expect(perKey.size).toBeGreaterThan(12);
    expect([...signers.outcomes.keys()].sort()).toEqual([
      'PT401 token_invalid',
      'PT409 bot_not_running',
      'ok',
    ]);
    expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
  });

  it('are not delayed by continuous signing', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const signers = new Signers(40);
    // Some of the signers hold the lock at any moment.
    for (let i = 0; i < 40; i++) signers.start(tokens[0] ?? raise(), bots[0] ?? raise(), 20);
    await wait(500);
    const began = performance.now();
    expect(await sessions.race([act.rotateKey(client)])).toEqual(['ok']);
    expect(await sessions.race([act.stopBot(bots[0] ?? '', client.userId)])).toEqual(['ok']);
    await sessions.startBots(client);
    expect(await sessions.race([act.revokeKey(client)])).toEqual(['ok']);
    expect(performance.now() - began).toBeLessThan(10_000);
    await signers.end();
    expect(signers.count('40P01')).toBe(0);
  });
});

describe('a revocation of a token and a stop of a bot while others sign', () => {
  it('allow no signature after their commit', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 2, tokens: 2 });
    const [bot = '', other = ''] = bots;
    const signers = new Signers(12);
    for (let i = 0; i < 12; i++) signers.start(tokens[i % 2] ?? raise(), bots[i % 2] ?? raise());
    const third = await sessions.newToken(client);
    for (let i = 0; i < 4; i++) signers.start(third, other);
    const [one = raise(), two = raise()] = tokens;
    await Promise.all([signers.signedMore(one, bot), signers.signedMore(third, other)]);
    const stopped = await xidOf('select public.stop_bot($1)', [bot]);
    await Promise.all([signers.signedMore(two, other), signers.signedMore(third, other)]);
    const revoked = await xidOf('delete from public.machine_tokens where id = $1', [third.id]);
    await signers.signedMore(two, other);
    await signers.end();

    const events = await inOrder(signaturesOf(signers));
    const places = await order.places();
    const later = (xid: string) => events.filter(({ place }) => place > (places.get(xid) ?? Number.NaN));
    const earlier = (xid: string) => events.filter(({ place }) => place < (places.get(xid) ?? Number.NaN));
    expect(earlier(stopped).some(({ bot_id }) => bot_id === bot)).toBe(true);
    expect(later(stopped).filter(({ bot_id }) => bot_id === bot)).toEqual([]);
    expect(later(stopped).some(({ bot_id }) => bot_id === other)).toBe(true);
    expect(earlier(revoked).some(({ token_id }) => token_id === third.id)).toBe(true);
    expect(later(revoked).filter(({ token_id }) => token_id === third.id)).toEqual([]);
    expect(later(revoked).some(({ token_id }) => token_id === tokens[1]?.id)).toBe(true);
    expect([...signers.outcomes.keys()].sort()).toEqual([
      'PT401 token_invalid',
      'PT409 bot_not_running',
      'ok',
    ]);
  });
});

describe('a 24-hour limit', () => {
  it.each([1, 3])('of 100 lets out no more than 100 to %i bots at once, each', async (count) => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: count, tokens: 1 });
    const signers = new Signers(20);
    const [token = raise()] = tokens;
    for (const bot of bots) {
      await sessions.sql`insert into public.bot_policies (bot_id, client_id, max_value_24h)
        values (${bot}, ${client.clientId}, 100)`;
    }
    const signing = {
      kind: 'evm.transaction',
      chain_id: '1',
      recipients: [],
      value: '7',
      digest: 'ab'.repeat(32),
    };
    const outcomes = await Promise.all(
      Array.from({ length: 40 * count }, (_, i) => signers.checkOut(token, bots[i % count] ?? '', signing)),
    );
    await signers.end();
    expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(14 * count);
    expect(new Set(outcomes)).toEqual(new Set(['ok', 'PT403 policy_value_24h_exceeded']));
    const sums = await sessions.sql<{ sum: string }[]>`
      select sum(value)::text from public.value_reservations where bot_id = any (${bots}) group by bot_id`;
    expect(sums.map(({ sum }) => sum)).toEqual(bots.map(() => '98'));
  });
});

function raise(): never {
  throw new TypeError('a value is missing');
}
