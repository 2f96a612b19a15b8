/** Transactions whose snapshot is older than a revocation or rotation: they fail instead of using the old key. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';
import { Sessions } from './sessions.ts';

let sessions: Sessions;
let sql: postgres.Sql;
beforeAll(() => {
  sessions = new Sessions();
  sql = postgres(inject('databaseUrl'), { max: 3, onnotice: () => {}, prepare: false });
});
afterAll(() => Promise.all([sessions.end(), sql.end()]));

interface Bot {
  readonly clientId: string;
  readonly botId: string;
}

/** A client with a trading key and a stopped bot that holds it. */
async function newBot(): Promise<Bot> {
  const { client, bots } = await sessions.newClientWithBots({ running: false, tokens: 0 });
  return { clientId: client.clientId, botId: bots[0] ?? '' };
}

type Attempt = (old: postgres.TransactionSql, bot: Bot) => Promise<unknown>;
const attempts: [string, Attempt][] = [
  ['start a bot', (old, { botId }) => old`update public.bots set status = 'running' where id = ${botId}`],
  [
    'add a wallet with an own key',
    (old, { clientId, botId }) =>
      old`insert into public.bot_wallets ${old({ bot_id: botId, client_id: clientId, ...sealedWallet(clientId) })}`,
  ],
];

const rotate = ({ clientId }: Bot) =>
  sql`update public.trading_keys set ${sql({ ...sealedWallet(clientId) })} where client_id = ${clientId}`;

/** Signs, as PostgREST does if the operator has set this isolation level for its role. */
async function sign(level: string, before: (bot: Bot) => Promise<unknown>): Promise<string> {
  const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
  const bot = { clientId: client.clientId, botId: bots[0] ?? '' };
  const claim = { kind: 'evm.message', recipients: [], value: '0', digest: 'ab'.repeat(32) };
  return sql
    .begin(`isolation level ${level}`, async (old) => {
      await old`select set_config('role', 'anon', true), set_config('request.jwt.claims', '', true)`;
      await before(bot);
      await old`select public.check_out_key(
        ${inject('edgeToken')}, ${tokens[0]?.token ?? ''}, ${bot.botId}, ${old.json(claim)})`;
      return 'ok';
    })
    .catch((error) => error.code);
}

describe.each(['repeatable read', 'serializable'])('a %s transaction', (level) => {
  it('that is older than a rotation does not sign', async () => {
    expect(await sign(level, rotate)).toBe('40001');
    expect(await sign(level, async () => {})).toBe('ok');
  });

  it.each(attempts)('that is older than a revocation does not %s', async (_, attempt) => {
    const bot = await newBot();
    const transaction = sql.begin(`isolation level ${level}`, async (old) => {
      await old`select count(*) from public.trading_keys`;
      await sql`delete from public.trading_keys where client_id = ${bot.clientId}`;
      await attempt(old, bot);
    });
    await expect(transaction).rejects.toMatchObject({ code: '40001' });
    expect(await violationsOf(sql, [bot.clientId])).toEqual([]);
  });

  it.each(attempts)('with no revocation beside it may %s', async (_, attempt) => {
    const bot = await newBot();
    await sql.begin(`isolation level ${level}`, (young) => attempt(young, bot));
    expect(await violationsOf(sql, [bot.clientId])).toEqual([]);
  });
});
