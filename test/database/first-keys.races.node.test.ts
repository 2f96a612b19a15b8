import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import type { Client } from '../support/rows.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';
import * as act from './actions.ts';
import { Sessions } from './sessions.ts';

const ROUNDS = 25;
const sessions = new Sessions();
const { userId: admin } = await sessions.newAdmin();
afterAll(() => sessions.end());

const newAddress = () => `0x${randomBytes(20).toString('hex')}`;
const times = (count: number, round: () => Promise<void>) =>
  Array.from({ length: count }).reduce<Promise<void>>((before) => before.then(round), Promise.resolve());

describe('a fresh client', () => {
  it('set up by two concurrent requests with two keys has one trading key and one own key', () =>
    times(ROUNDS, async () => {
      const client = await sessions.newClient();
      const wallets = [sealedWallet(client.clientId), sealedWallet(client.clientId)];
      expect(await sessions.race(wallets.map((wallet) => act.setupBot(client, wallet)))).toEqual([
        'ok',
        'ok',
      ]);
      expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
      const rows = await sessions.sql`select w.key_id = t.key_id as trading
        from public.bot_wallets as w join public.trading_keys as t using (client_id)
        where client_id = ${client.clientId} order by 1`;
      expect(rows.map((row) => row.trading)).toEqual([false, true]);
    }));

  it('set up by two concurrent requests with the same key holds it once, in two wallets', () =>
    times(ROUNDS, async () => {
      const client = await sessions.newClient();
      const address = newAddress();
      const racers = [address, address].map((same) =>
        act.setupBot(client, sealedWallet(client.clientId, same)),
      );
      expect(await sessions.race(racers)).toEqual(['ok', 'ok']);
      expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
    }));

  it('for which the operator inserts two trading keys concurrently keeps one', () =>
    times(ROUNDS, async () => {
      const client = await sessions.newClient();
      const outcomes = await sessions.race([
        act.insertKey(client, act.OPERATOR),
        act.insertKey(client, act.OPERATOR),
        act.setupBot(client),
        act.insertKey(client),
      ]);
      expect(outcomes.slice(0, 2).sort()).toEqual(['PT409 value_not_unique', 'ok']);
      expect(['ok', 'PT409 private_key_required']).toContain(outcomes[2]);
      expect(outcomes[3]).toBe('PT403 envelope_write_denied');
      expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
    }));

  it('whose wallets were emptied gets one of several new keys as trading key', () =>
    times(ROUNDS, async () => {
      const { client, bots } = await sessions.newClientWithBots({ bots: 2, running: false, tokens: 0 });
      await sessions.sql`delete from public.trading_keys where client_id = ${client.clientId}`;
      const racers = bots.map((bot) => act.addWallet(bot, admin, sealedWallet(client.clientId)));
      expect(await sessions.race([...racers, act.setupBot(client, sealedWallet(client.clientId))])).toEqual([
        'ok',
        'ok',
        'ok',
      ]);
      expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
    }));
});

describe('two clients that submit the same address concurrently', () => {
  const pair = async () => [await sessions.newClient(), await sessions.newClient()] as const;

  it.each([
    [
      'by set-ups',
      (client: Client, address: string) => act.setupBot(client, sealedWallet(client.clientId, address)),
    ],
    [
      "by the operator's SQL",
      (client: Client, address: string) =>
        act.insertKey(client, act.OPERATOR, sealedWallet(client.clientId, address)),
    ],
  ])('%s: one client gets it', (_, bring) =>
    times(ROUNDS, async () => {
      const [a, b] = await pair();
      const address = newAddress();
      const outcomes = await sessions.race([bring(a, address), bring(b, address)]);
      expect(outcomes.sort()).toEqual(['PT409 address_taken', 'ok']);
      expect(await violationsOf(sessions.sql, [a.clientId, b.clientId])).toEqual([]);
    }),
  );

  it('as a trading key, by rotation, and as a key of a wallet: one client gets it', () =>
    times(ROUNDS, async () => {
      const [a, b] = await pair();
      await sessions.newKey(a);
      await sessions.newKey(b);
      const [bot = ''] = await sessions.newBots(b, 1);
      const address = newAddress();
      const outcomes = await sessions.race([
        act.rotateKey(a, a.userId, sealedWallet(a.clientId, address)),
        act.addWallet(bot, admin, sealedWallet(b.clientId, address)),
      ]);
      expect(outcomes.sort()).toEqual(['PT409 address_taken', 'ok']);
      expect(await violationsOf(sessions.sql, [a.clientId, b.clientId])).toEqual([]);
    }));

  it('several addresses, in different order: one client gets them all', () =>
    times(ROUNDS, async () => {
      const [a, b] = await pair();
      const addresses = Array.from({ length: 6 }, newAddress);
      const bring = (client: Client, order: string[]) =>
        act.createBot(
          client,
          admin,
          order.map((address) => sealedWallet(client.clientId, address)),
        );
      const outcomes = await sessions.race([bring(a, addresses), bring(b, addresses.toReversed())]);
      expect(outcomes.sort()).toEqual(['PT409 address_taken', 'ok']);
      expect(await violationsOf(sessions.sql, [a.clientId, b.clientId])).toEqual([]);
    }));
});

describe('two admins who are also clients', () => {
  it('rotate and start for each other without a deadlock', () =>
    times(ROUNDS, async () => {
      const stopped = { running: false, tokens: 0 };
      const one = await sessions.newClientWithBots(stopped);
      const other = await sessions.newClientWithBots(stopped);
      const [a, b] = [one.client, other.client];
      for (const client of [a, b]) await sessions.makeAdmin(client);
      const [[botOfA = ''], [botOfB = '']] = [one.bots, other.bots];
      const outcomes = await sessions.race([
        act.rotateKey(b, a.userId),
        act.rotateKey(a, b.userId),
        act.startBot(botOfB, a.userId),
        act.startBot(botOfA, b.userId),
      ]);
      expect(outcomes).toEqual(['ok', 'ok', 'ok', 'ok']);
      expect(await violationsOf(sessions.sql, [a.clientId, b.clientId])).toEqual([]);
    }));
});
