/** `npm run account:link`, `account:unlink` and `factor:reset`, as an operator runs them. */
import { spawn } from 'node:child_process';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { call } from '../support/api.ts';
import { newAccount, newClient } from '../support/people.ts';

const sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

type Command = 'account-link' | 'account-unlink' | 'factor-reset';

function run(command: Command, args: string[], databaseUrl = inject('databaseUrl')) {
  const child = spawn(process.execPath, [`tools/operator/${command}.ts`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, out, err })),
  );
}

/** Every command prints the database on standard error. */
const { username, host, pathname } = new URL(inject('databaseUrl'));
const CONNECTED = `Database: ${username}@${host}${pathname}\n`;

async function newUnlinkedClient(): Promise<string> {
  const [client] = await sql<[{ id: string }]>`
    insert into public.clients (name, email) values ('A client', gen_random_uuid() || '@example.test') returning id`;
  return client.id;
}

const eventsOf = async (clientId: string) =>
  (
    await sql<{ event: string; actor: string; detail: object }[]>`
      select event, actor, detail from private.every_key_event
      where client_id = ${clientId} and event in ('account_linked', 'account_unlinked', 'factor_reset') order by id`
  ).map(({ event, actor, detail }) => [event, actor, detail]);

const clientOf = async (token: string) => (await call('GET /clients/me', { token })).json.id;

describe('npm run account:link, account:unlink', () => {
  it('links an account with another address, unlinks it, and writes an event for each', async () => {
    const [client, account] = [await newUnlinkedClient(), await newAccount()];
    await sql`update auth.users set encrypted_password = 'x' where id = ${account.userId}`;
    const linked = await run('account-link', ['--client', client, '--email', account.email.toUpperCase()]);
    expect([linked.code, linked.err]).toEqual([0, CONNECTED]);
    expect(linked.out).toContain(account.userId);
    expect(await clientOf(account.token)).toBe(client);
    expect([...(await sql`select encrypted_password from auth.users where id = ${account.userId}`)]).toEqual([
      { encrypted_password: null },
    ]);

    const unlinked = await run('account-unlink', ['--client', client]);
    expect([unlinked.code, unlinked.err]).toEqual([0, CONNECTED]);
    expect(await clientOf(account.token)).toBeUndefined();
    expect(await eventsOf(client)).toEqual([
      ['account_linked', 'operator', { account_id: account.userId, by_confirmation: false }],
      ['account_unlinked', 'operator', { account_id: account.userId }],
    ]);
    expect(linked.out + unlinked.out).not.toContain('@');
  });

  it('reject accounts that cannot be linked or unlinked, and change nothing', async () => {
    const [client, owner, account] = [await newUnlinkedClient(), await newClient(), await newAccount()];
    for (const [command, args] of [
      ['account-link', ['--client', client, '--email', 'nobody@example.test']],
      ['account-link', ['--client', client, '--email', owner.email]],
      ['account-link', ['--client', owner.clientId, '--email', account.email]],
      ['account-link', ['--client', crypto.randomUUID(), '--email', account.email]],
      ['account-unlink', ['--client', client]],
      ['account-unlink', ['--client', crypto.randomUUID()]],
    ] as [Command, string[]][]) {
      const { code, out, err } = await run(command, args);
      const why = err.replace(CONNECTED, '');
      expect([command, args, code, out, why.split('\n').length]).toEqual([command, args, 1, '', 2]);
      expect(why).not.toContain('@');
    }
    expect(await eventsOf(client)).toEqual([]);
    expect(await clientOf(owner.token)).toBe(owner.clientId);
  });
});

describe('npm run factor:reset', () => {
  it('ends the sessions of the account, and writes an event of its client', async () => {
    const owner = await newClient();
    await sql`insert into auth.sessions (id, user_id, created_at, updated_at)
      values (${crypto.randomUUID()}, ${owner.userId}, now(), now())`;
    for (const sessions of [1, 0]) {
      const { code, out } = await run('factor-reset', ['--email', owner.email]);
      expect([code, out]).toEqual([
        0,
        `Account ${owner.userId} (of client ${owner.clientId}): 0 factors removed, ${sessions} sessions ended.\n`,
      ]);
    }
    expect(await eventsOf(owner.clientId)).toEqual([
      ['factor_reset', 'operator', { account_id: owner.userId, factors: 0, sessions: 1 }],
    ]);
  });

  it('for an account without a client -> succeeds; for an account that does not exist -> an error', async () => {
    const { email, userId } = await newAccount();
    expect(await run('factor-reset', ['--email', email])).toMatchObject({
      code: 0,
      out: `Account ${userId} (without a client): 0 factors removed, 0 sessions ended.\n`,
    });
    expect(await run('factor-reset', ['--email', 'nobody@example.test'])).toMatchObject({ code: 1, out: '' });
  });
});

describe.each<[Command, string[][]]>([
  [
    'account-link',
    [
      [],
      ['--client', 'x', '--email', 'a@example.test'],
      ['--client', crypto.randomUUID()],
      ['--client', crypto.randomUUID(), '--email', 'a'],
      ['--client', crypto.randomUUID(), '--email'],
      ['--force'],
    ],
  ],
  ['account-unlink', [[], ['--client', 'x'], ['--email', 'a@example.test'], ['anna']]],
  ['factor-reset', [[], ['--email', ''], ['--client', crypto.randomUUID()]]],
])('npm run %s', (command, wrong) => {
  const nowhere = 'postgresql://postgres@127.0.0.1:1/postgres';

  it.each(wrong.map((args) => [args.join(' '), args] as const))(
    'with "%s" -> its usage, without a connection',
    async (_, args) => {
      const { code, out, err } = await run(command, args, nowhere);
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain('Usage: npm run ');
    },
  );

  it('--help -> its usage on standard output, without a connection', async () => {
    const { code, out, err } = await run(command, ['--help'], nowhere);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Usage: npm run ');
  });
});
