/** Floods of changes, and changes without the API: each is limited, and each is an event. */
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import { operatorSql } from '../support/people.ts';
import { rest } from '../support/rest.ts';
import { newClientWithRunner, newMachineTokenFor, setPolicy } from '../support/runners.ts';

describe('one statement of a session', () => {
  it('with 100 rows -> executed, with 101 -> rejected as a whole', async () => {
    const own = await newClientWithBot();
    const rows = (count: number) =>
      Array.from({ length: count }, () => ({ client_id: own.clientId, bot_type: 'evm-dca', name: 'many' }));
    expect(await rest('POST bots', own.token, rows(101))).toMatchObject({
      status: 422,
      hint: 'row_limit_exceeded',
    });
    expect((await rest('POST bots?select=id', own.token, rows(100))).json).toHaveLength(100);
    expect((await rest('POST bots', own.token, rows(1))).status).toBe(201);
    const change = await rest(`PATCH bots?client_id=eq.${own.clientId}&name=eq.many`, own.token, {
      status: 'stopped',
    });
    expect(change).toMatchObject({ status: 422, hint: 'row_limit_exceeded' });
  });
});

describe('a flood of changes', () => {
  it('-> at most 60 events a minute, the others are counted, and the event of a new token is not hidden', async () => {
    const own = await newClientWithBot();
    const bots = Array.from({ length: 50 }, () => ({
      client_id: own.clientId,
      bot_type: 'evm-dca',
      name: 'p',
    }));
    const ids = (await rest('POST bots?select=id', own.token, bots)).json.map(({ id }: { id: string }) => id);
    const policies = ids.map((bot_id: string) => ({ bot_id, client_id: own.clientId, max_value: 1 }));
    expect((await rest('POST bot_policies', own.token, policies)).status).toBe(201);
    for (let value = 2; value < 12; value++) {
      await rest(`PATCH bot_policies?client_id=eq.${own.clientId}`, own.token, { max_value: value });
    }
    const { tokenId } = await newMachineTokenFor(own, own.botId);
    const read = async (query: string) =>
      (await call(`GET /clients/${own.clientId}/key-events?limit=100${query}`, { token: own.token })).json;
    const tokens = await read('&event=token_issued');
    expect(tokens.items.map(({ detail }: { detail: { token_id: string } }) => detail.token_id)).toEqual([
      tokenId,
    ]);
    const { items, omitted } = await read('');
    const counted = items.filter(({ event }: { event: string }) => /^(bot|policy|token)_/.test(event));
    expect(counted.length).toBeLessThanOrEqual(60);
    const within = items.reduce(
      (sum: number, { detail }: { detail: { omitted?: number } | null }) => sum + (detail?.omitted ?? 0),
      0,
    );
    // Eleven statements that write 50 policies each, then 51 bots, one start and one token.
    expect(counted.length + within + omitted).toBe(11 * 50 + 51 + 1 + 1);
  });

  it('that changes nothing -> writes no event', async () => {
    const own = await newClientWithBot();
    await setPolicy(own, own.botId, { max_value: '1' });
    const count = async () =>
      (await operatorSql('select from private.every_key_event where client_id = $1', [own.clientId])).length;
    const before = await count();
    await setPolicy(own, own.botId, { max_value: '1' });
    await rest(`PATCH bot_policies?client_id=eq.${own.clientId}`, own.token, { max_value: 1 });
    await call(`POST /bots/${own.botId}/start`, { token: own.token });
    expect(await count()).toBe(before);
  });
});

describe("the operator's SQL", () => {
  it('-> writes an event for every change that concerns a key', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { max_value: '0' });
    const names = async (chain: string) =>
      (
        await operatorSql<{ event: string }>(
          'select event from private.every_key_event where client_id = $1 order by created_at, id',
          [chain],
        )
      ).map(({ event }) => event);
    const deployment = '00000000-0000-0000-0000-000000000000';
    const steps: [string, string, string, unknown[]][] = [
      ['policy_removed', own.clientId, 'delete from public.bot_policies where bot_id = $1', [own.botId]],
      [
        'token_changed',
        own.clientId,
        "update public.machine_tokens set expires_at = '2099-01-01' where id = $1",
        [own.tokenId],
      ],
      [
        'token_changed',
        own.clientId,
        'update public.machine_tokens set token_hash = sha256($1::text::bytea) where id = $1',
        [own.tokenId],
      ],
      [
        'token_revoked',
        own.clientId,
        'delete from public.machine_token_bots where token_id = $1',
        [own.tokenId],
      ],
      ['bot_changed', own.clientId, `update public.bots set config = '{"a": 1}' where id = $1`, [own.botId]],
      [
        'wallet_changed',
        own.clientId,
        'update public.bot_wallets set key_id = null, encrypted_key = null where bot_id = $1',
        [own.botId],
      ],
      ['wallet_removed', own.clientId, 'delete from public.bot_wallets where bot_id = $1', [own.botId]],
      [
        'client_changed',
        own.clientId,
        "update public.clients set name = 'Another' where id = $1",
        [own.clientId],
      ],
      ['admin_added', deployment, 'insert into private.admins (user_id) values ($1)', [own.userId]],
      ['admin_removed', deployment, 'delete from private.admins where user_id = $1', [own.userId]],
    ];
    for (const [event, chain, text, values] of steps) {
      const before = await names(chain);
      await operatorSql(text, values);
      expect([text, (await names(chain)).slice(before.length)]).toEqual([
        text,
        expect.arrayContaining([event]),
      ]);
    }
  });
});
