/** A superuser turned a CHECK off and stored a bad row: a list leaves that row out, logs it, and returns the others. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { call } from '../support/api.ts';
import { listenToLog } from '../support/log-lines.ts';
import type { ClientPerson, Person } from '../support/people.ts';
import { type PeopledStack, startPeopledStack } from '../support/peopled-stack.ts';
import { expectProblem } from '../support/problems.ts';

let stack: PeopledStack;
let admin: Person;
let anna: ClientPerson;
/** Not the oldest bot of the client, which another test makes invalid. */
let bot = '';

beforeAll(async () => {
  stack = await startPeopledStack();
  [admin, anna] = [await stack.newAdmin(), await stack.newClient('Anna')];
  await stack.newClient('Boris');
  const bots = await stack.sql<{ id: string }[]>`
    insert into public.bots (client_id, bot_type, name)
    select ${anna.clientId}, 'evm-grid', 'bot ' || n from generate_series(1, 3) as n returning id`;
  bot = bots[2]?.id ?? '';
  for (const name of ['one', 'two']) {
    const [token] = await stack.sql<[{ id: string }]>`
      insert into public.machine_tokens (client_id, name, token_hash)
      values (${anna.clientId}, ${name}, ${randomBytes(32)}) returning id`;
    await stack.sql`insert into public.machine_token_bots (token_id, bot_id, client_id)
      values (${token.id}, ${bot}, ${anna.clientId})`;
    await stack.sql`insert into public.bot_health_logs (bot_id, client_id, state, since)
      values (${bot}, ${anna.clientId}, 'healthy', now())`;
  }
});
afterAll(() => stack.end());
afterEach(() => {
  vi.restoreAllMocks();
});

const ask = (line: string) => call(line, { token: admin.token, env: stack.settings });
const SHOWN = 'its times can be shown';

/** A list, the table behind it, the CHECK that is turned off, and a change that the CHECK would have rejected. */
const LISTS: readonly (readonly [
  list: string,
  table: string,
  check: string,
  change: string,
  name: string,
])[] = [
  [
    'GET /clients/{id}/bots',
    'bots',
    'a bot is stopped or running',
    `status = 'paused', stop_reason = null`,
    'list_bots',
  ],
  ['GET /clients', 'clients', SHOWN, `created_at = '20000-01-01'`, 'list_clients'],
  ['GET /bots/{id}/tokens', 'machine_tokens', SHOWN, `created_at = '20000-01-01'`, 'list_tokens'],
  ['GET /bots/{id}/health', 'bot_health_logs', SHOWN, `since = '20000-01-01'`, 'get_bot_health'],
];

it.each(LISTS)('%s leaves out a bad row of %s and logs its id', async (list, table, check, change, name) => {
  const line = list.replace('{id}', list.includes('/bots/') ? bot : anna.clientId);
  const before = (await ask(line)).json.items as { id: string }[];
  expect(before.length).toBeGreaterThanOrEqual(2);
  const bad = before.at(-1)?.id ?? '';
  await stack.superuser.unsafe(`alter table public.${table} drop constraint "${check}"`);
  await stack.superuser.unsafe(`update public.${table} set ${change} where id = $1`, [bad]);

  const log = listenToLog();
  const { status, json } = await ask(`${line}?limit=100`.replace(/tokens\?.*/, 'tokens'));
  expect([status, json.items]).toEqual([200, before.slice(0, -1)]);
  expect(log.lines('item_left_out')).toMatchObject([{ level: 'error', function: name, item_id: bad }]);
});

it('a bad row that is the whole response -> 503', async () => {
  const [bad] = await stack.sql<[{ id: string }]>`select id from public.bots where status = 'paused'`;
  expectProblem(await ask(`GET /bots/${bad.id}`), 503, 'database_unavailable');
});
