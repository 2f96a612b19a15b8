/** The SDK with an API whose first response is lost: the call is executed once. */
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createClient } from '../../src/sdk/client.ts';
import { toTradingKeysAccount } from '../../src/sdk/viem.ts';
import { settings } from '../support/api.ts';
import { newClient, operatorSql } from '../support/people.ts';
import { recordIdempotencyKey, recordKeysOf } from '../support/recorder.ts';

const app = createApp();
const url = 'https://keys.example.test';

/** Executes every request; after `lose()` the next response is lost. */
function flakyBinding() {
  const sent: Request[] = [];
  let losing = false;
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    sent.push(request.clone());
    const key = request.headers.get('idempotency-key');
    if (key !== null) recordIdempotencyKey(key);
    const response = await app.fetch(request, settings());
    await response.clone().text();
    if (!losing) return response;
    losing = false;
    throw new TypeError('the connection was lost');
  };
  const lose = () => {
    losing = true;
    sent.length = 0;
  };
  return { fetch, sent, lose };
}

async function newBot() {
  const private_key = generatePrivateKey();
  recordKeysOf({ private_key });
  const { clientId, token } = await newClient();
  const { fetch, sent, lose } = flakyBinding();
  const owner = createClient({ url, token, fetch });
  lose();
  const bot = await owner.clients.setupBot(clientId, { bot_type: 'evm-grid', private_key });
  return { private_key, clientId, owner, bot, fetch, sent, lose };
}

describe('a call whose response was lost', () => {
  test('sets a bot up once', async () => {
    const { clientId, owner, bot, sent } = await newBot();
    expect(sent).toHaveLength(2);
    expect((await owner.clients.bots(clientId)).items.map(({ id }) => id)).toEqual([bot.id]);
  });

  test('rotates once', async () => {
    const { clientId, owner, sent, lose } = await newBot();
    lose();
    const { version } = await owner.clients.rotateKey(clientId, { private_key: generatePrivateKey() });
    expect([sent.length, version, (await owner.clients.tradingKey(clientId)).version]).toEqual([2, 2, 2]);
  });

  test('issues one machine token that the caller does not get: its id is returned, to revoke it', async () => {
    const { owner, bot, lose } = await newBot();
    lose();
    const { id, token } = await owner.bots.issueToken(bot.id, { name: 'A runner' });
    expect(token).toBeUndefined();
    expect((await owner.bots.tokens(bot.id)).items.map((issued) => issued.id)).toEqual([id]);
    expect(await owner.tokens.revoke(id)).toMatchObject({ id });
    expect((await owner.bots.issueToken(bot.id, { name: 'A runner' })).token).toMatch(/^tk_/);
  });

  test('signs a transaction of viem, and reserves its value once', async () => {
    const { private_key, owner, bot, fetch, sent, lose } = await newBot();
    await owner.bots.setPolicy(bot.id, { max_value_24h: '100' });
    const { token = '' } = await owner.bots.issueToken(bot.id, { name: 'A runner' });
    const client = createClient({ url, token, fetch });
    const account = toTradingKeysAccount({ client, botId: bot.id, address: bot.wallets[0]?.address ?? '' });
    const transaction = {
      chainId: 1,
      nonce: 0,
      gas: 21_000n,
      maxFeePerGas: 9n,
      maxPriorityFeePerGas: 1n,
      to: account.address,
      value: 60n,
    } as const;
    lose();
    const signed = await account.signTransaction(transaction);
    expect(sent).toHaveLength(2);
    expect(signed).toBe(await privateKeyToAccount(private_key).signTransaction(transaction));
    const rows = await operatorSql('select value::text from public.value_reservations where bot_id = $1', [
      bot.id,
    ]);
    expect(rows).toEqual([{ value: '60' }]);
  });

  test('can be sent again later with a key of the caller', async () => {
    const { owner, bot, fetch, lose } = await newBot();
    const { token = '' } = await owner.bots.issueToken(bot.id, { name: 'A runner' });
    const sign = (attempts: number) =>
      createClient({ url, token, fetch, retries: attempts - 1 }).bots.sign(
        bot.id,
        { type: 'evm.message', message: 'hello' },
        { idempotencyKey: `trade-${bot.id}` },
      );
    lose();
    await expect(sign(1)).rejects.toMatchObject({ code: 'unreachable' });
    expect(await sign(1)).toMatchObject({ address: bot.wallets[0]?.address });
    const rows = await operatorSql(
      `select detail -> 'replayed' as replayed from private.every_key_event where bot_id = $1 and event = 'key_released' order by id`,
      [bot.id],
    );
    expect(rows).toEqual([{ replayed: null }, { replayed: true }]);
  });
});
