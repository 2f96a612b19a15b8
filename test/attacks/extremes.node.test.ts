/**
 * The API can return every row that a session or a runner can store directly at the REST API. Columns and arguments come from
 * the catalog, so a new one is tested without being listed here. After each column and each argument every route is read.
 */
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { call } from '../support/api.ts';
import { listenToLog } from '../support/log-lines.ts';
import { protectedOperations, runnerOperations } from '../support/operations.ts';
import { startPeopledStack } from '../support/peopled-stack.ts';
import { asSession, insertAsPostgrest, type Outcome, send } from './direct-writes.ts';
import { EXTREMES, Raw, withExtremeMembers } from './extreme-values.ts';
import {
  type Change,
  CRON_CALLS,
  type GoodCall,
  goodCalls,
  goodInserts,
  goodUpdates,
  prepareScene,
  type Row,
  type Scene,
  type Write,
} from './good-writes.ts';

/** The names in `good-writes.ts`. Test titles need them before a database exists. */
const TABLES = {
  inserts: [
    'clients',
    'bots',
    'trading_keys',
    'bot_wallets',
    'machine_tokens',
    'machine_token_bots',
    'bot_policies',
  ],
  updates: ['clients', 'bots', 'trading_keys', 'bot_policies'],
};
const CALLS = [
  'create_client',
  'create_bot',
  'setup_bot',
  'add_wallet',
  'rotate_key',
  'revoke_key',
  'revoke_key_at_edge',
  'start_bot',
  'stop_bot',
  'issue_token',
  'revoke_token',
  'set_policy',
  'list_key_events',
  'list_deployment_events',
  'report_refusal',
  'check_out_key',
  'list_runner_bots',
  'get_runner_bot',
  'record_heartbeat',
  'report_signing_failure',
  'report_runner_refusal',
];

/** Only the edge writes envelopes. A session alone is rejected, whatever it sends: copied-rows.workerd.test.ts. */
const OF_THE_EDGE = ['trading_keys', 'bot_wallets'];

let scene: Scene;
/** Bots and clients that were read since their last change. */
const seen = new Set<string>();

beforeAll(async () => {
  scene = await prepareScene(await startPeopledStack());
});
afterAll(() => scene?.stack.end());
afterEach(() => {
  vi.restoreAllMocks();
});

interface Changed {
  readonly bots: readonly string[];
  readonly clients: readonly string[];
}

interface Named {
  readonly name: string;
  readonly type: string;
}

const writableColumns = (verb: 'insert' | 'update') => scene.stack.sql<(Named & { table: string })[]>`
  select c.relname as table, a.attname as name, format_type(a.atttypid, null) as type
  from pg_class as c join pg_attribute as a on a.attrelid = c.oid
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    and has_column_privilege('authenticated', c.oid, a.attnum, ${verb}) order by c.relname, a.attnum`;

/** Functions of the API. Those that are not volatile run in read-only transactions. */
const functions = () => scene.stack.sql<{ name: string; reads: boolean; args: Named[] }[]>`
  select p.proname as name, p.provolatile <> 'v' as reads, coalesce(json_agg(json_build_object(
    'name', a.name, 'type', format_type(a.type, null)) order by a.place) filter (where a.name is not null), '[]') as args
  from pg_proc as p
  left join lateral unnest(p.proargnames, p.proargtypes::oid[]) with ordinality as a (name, type, place) on true
  where p.pronamespace = 'public'::regnamespace and (
    has_function_privilege('authenticated', p.oid, 'execute') or has_function_privilege('anon', p.oid, 'execute'))
  group by p.oid, p.proname, p.provolatile order by p.proname`;

function extremesOf({ name, type }: Named): readonly unknown[] {
  const values = EXTREMES[type];
  if (values === undefined) throw new TypeError(`extreme values are missing for ${name} of type ${type}`);
  return values;
}

/** Whether the write was accepted. A rejected write is the caller's fault, and the status must say so. */
function isAccepted(what: string, { status, text }: Outcome): boolean {
  if (status < 300) return true;
  expect(status, `${what}: ${text}`).toBeGreaterThanOrEqual(400);
  expect(status, `${what}: ${text}`).toBeLessThan(500);
  return false;
}

const shown = (value: unknown) => (value instanceof Raw ? value.json : String(value)).slice(0, 40);

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What no route may do: fail, or leave out a row. */
async function expectReadable(what: string, { bots, clients }: Changed): Promise<void> {
  const log = listenToLog();
  const { stack, admin, client, bot, machineToken, tokenId } = scene;
  // A bot's routes show its tokens, and a token's routes show its bots.
  await stack.sql`insert into public.machine_token_bots (token_id, bot_id, client_id)
    select ${tokenId}, id, client_id from public.bots where id = any (${[...bots]}) on conflict do nothing`;
  await stack.sql`insert into public.machine_token_bots (token_id, bot_id, client_id)
    select id, ${bot}, client_id from public.machine_tokens where client_id = ${client.clientId}
    on conflict do nothing`;
  const ids = { '/clients/': clients, '/bots/': bots, '/runner/bots/': bots };
  const reads = protectedOperations
    .map(({ line }) => line)
    .filter((line) => line.startsWith('GET '))
    .flatMap((line) => {
      const [prefix] = Object.keys(ids).filter((start) => line.startsWith(`GET ${start}{id}`));
      if (!line.includes('{id}')) return [{ line, route: line }];
      if (prefix === undefined) throw new TypeError(`an id is missing for ${line}`);
      return ids[prefix as keyof typeof ids].map((id) => ({ route: line, line: line.replace('{id}', id) }));
    });
  const read = async ({ line, route }: { line: string; route: string }) => {
    const isRunners = runnerOperations.some((operation) => operation.line === route);
    const token = isRunners ? machineToken : line === 'GET /clients/me' ? client.token : admin.token;
    const answer = await call(line, { token, env: stack.settings });
    const isFine = answer.status === 200 || answer.json.code === 'trading_key_missing';
    expect(isFine, `${what}; ${line} -> ${answer.status} ${answer.json?.code}`).toBe(true);
  };
  await Promise.all(reads.map(read));
  expect(log.lines('item_left_out'), what).toEqual([]);
  vi.restoreAllMocks();
}

/** Rows that were created or changed since the last call, except the bots that only serve as a place for a write. */
async function changed(rows: readonly Row[]): Promise<Changed> {
  const { stack, bot, client, keyless, places } = scene;
  const made = async (table: string) =>
    (await stack.sql<{ id: string }[]>`select id from ${stack.sql(`public.${table}`)}`)
      .map(({ id }) => id)
      .filter((id) => !seen.has(id) && !places.has(id));
  const named = rows.map(({ bot_id }) => bot_id).filter((id): id is string => places.has(String(id)));
  const [bots, clients] = [await made('bots'), await made('clients')];
  for (const id of [...bots, ...clients]) seen.add(id);
  return {
    bots: [...new Set([bot, ...bots, ...named])],
    clients: [...new Set([client.clientId, keyless.clientId, ...clients])],
  };
}

it('every table and function that a session or a runner can write to is tested', async () => {
  const tables = async (verb: 'insert' | 'update') => [
    ...new Set((await writableColumns(verb)).map(({ table }) => table)),
  ];
  expect(Object.keys(goodInserts(scene)).sort()).toEqual(await tables('insert'));
  expect(Object.keys(goodUpdates(scene)).sort()).toEqual(await tables('update'));
  expect([TABLES.inserts, TABLES.updates]).toEqual([
    Object.keys(goodInserts(scene)),
    Object.keys(goodUpdates(scene)),
  ]);
  const changing = (await functions()).filter(({ reads }) => !reads).map(({ name }) => name);
  expect([...CALLS, ...CRON_CALLS].sort()).toEqual(changing);
  expect(CALLS).toEqual(Object.keys(goodCalls(scene)));
});

it('JSON that is sent as text arrives unchanged', async () => {
  const { by, args } = goodCalls(scene).setup_bot as GoodCall;
  const row = { ...(await args()), config: new Raw('{"a":1.50}') };
  const { text } = await send(scene.stack, 'POST rpc/setup_bot', by, row);
  const [bot] = await scene.stack.sql`select config::text from public.bots where id = ${JSON.parse(text).id}`;
  expect(bot?.config).toBe('{"a": 1.50}');
});

it.each(TABLES.inserts)('INSERT %s', async (table) => {
  const { by, row, undo } = goodInserts(scene)[table] as Write;
  const insert = (value: unknown, values: Row) =>
    value instanceof Raw || OF_THE_EDGE.includes(table)
      ? insertAsPostgrest(scene.stack, table, by, values)
      : send(scene.stack, `POST ${table}`, by, values);
  expect(isAccepted(table, await insert(undefined, await row({})))).toBe(true);
  await undo?.();
  for (const column of await writableColumns('insert')) {
    if (column.table !== table) continue;
    const accepted: Row[] = [];
    const values: string[] = [];
    for (const value of extremesOf(column)) {
      const spoiled = await row({ [column.name]: value });
      const what = `INSERT ${table}, ${column.name} = ${shown(value)}`;
      if (!isAccepted(what, await insert(value, spoiled))) continue;
      accepted.push(spoiled);
      values.push(shown(value));
      // The table has room for one row: read it before it is deleted to make room.
      if (undo) await expectReadable(what, await changed(accepted));
      await undo?.();
    }
    if (!undo && accepted.length > 0) {
      await expectReadable(
        `INSERT ${table}, ${column.name} = ${values.join(' | ')}`,
        await changed(accepted),
      );
    }
  }
});

it.each(TABLES.updates)('UPDATE %s', async (table) => {
  const { by, column: key, place, row } = goodUpdates(scene)[table] as Change;
  for (const column of await writableColumns('update')) {
    if (column.table !== table) continue;
    const accepted: Row[] = [];
    const tried: string[] = [];
    for (const value of extremesOf(column)) {
      const [id, what] = [await place(), `UPDATE ${table}, ${column.name} = ${shown(value)}`];
      const line = `PATCH ${table}?${key}=eq.${id}`;
      const values = row({ [column.name]: value });
      const outcome = OF_THE_EDGE.includes(table)
        ? await asSession(
            scene.stack,
            by,
            (session) =>
              // biome-ignore lint/suspicious/noExplicitAny: a row of any table
              session`update ${session(`public.${table}`)} set ${session(values as any)} where ${session(key)} = ${id}`,
          )
        : await send(scene.stack, line, by, values);
      if (!isAccepted(what, outcome)) continue;
      accepted.push({ bot_id: id });
      tried.push(shown(value));
      // The next change is to the same row: read it first.
      if (!scene.places.has(id)) await expectReadable(what, await changed([]));
    }
    const what = `UPDATE ${table}, ${column.name} = ${tried.join(' | ')}`;
    if (accepted.length > 0) await expectReadable(what, await changed(accepted));
  }
});

it.each(CALLS)('rpc/%s', async (name) => {
  const { by, args } = goodCalls(scene)[name] as GoodCall;
  const tried = (await functions()).find((one) => one.name === name);
  expect(isAccepted(name, await send(scene.stack, `POST rpc/${name}`, by, await args()))).toBe(true);
  for (const argument of tried?.args ?? []) {
    // Rejected before any other check, because it is the operator's fault: supabase/tests/edge.
    if (argument.name === 'edge_token') continue;
    const accepted: Row[] = [];
    const values: string[] = [];
    for (const value of extremesOf(argument)) await attempt(value);
    const good = (await args())[argument.name];
    if (argument.type === 'jsonb' && argument.name !== 'once' && isObject(good)) {
      for (const value of withExtremeMembers(good)) await attempt(value);
    }
    if (accepted.length > 0) {
      await expectReadable(`rpc/${name}, ${argument.name} = ${values.join(' | ')}`, await changed(accepted));
    }

    async function attempt(value: unknown): Promise<void> {
      const spoiled = { ...(await args()), [argument.name]: value };
      const what = `rpc/${name}, ${argument.name} = ${shown(value)}`;
      if (!isAccepted(what, await send(scene.stack, `POST rpc/${name}`, by, spoiled))) return;
      accepted.push(spoiled);
      values.push(shown(value));
    }
  }
});

it('functions that only read accept or reject extreme values, and never fail', async () => {
  const { client, bot } = scene;
  const good: Row = { client_id: client.clientId, bot_id: bot, page_size: 1, require_aal2: false };
  for (const { name, args, reads } of await functions()) {
    if (!reads) continue;
    const known = args.filter((argument) => argument.name in good).map((argument) => argument.name);
    const call = Object.fromEntries(known.map((argument) => [argument, good[argument]]));
    for (const argument of args) {
      for (const value of extremesOf(argument)) {
        const what = `rpc/${name}, ${argument.name} = ${shown(value)}`;
        isAccepted(
          what,
          await send(scene.stack, `POST rpc/${name}`, client, { ...call, [argument.name]: value }),
        );
      }
    }
  }
});
