/**
 * How the planner finds rows in large tables: in a transaction with twenty thousand wallets and their statistics, which is
 * rolled back. The plans are those of the statements inside the functions, as PostgreSQL ran them.
 */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { fillTables } from '../support/full-tables.ts';
import { sealedArguments } from '../support/sealed-wallet.ts';

const WALLETS = 20_000;
/** The tables that grow with the platform. `bot_types` and `admins` do not. */
const GROWING = [
  'bot_heartbeats',
  'bot_policies',
  'bot_wallets',
  'bots',
  'clients',
  'key_events',
  'machine_token_bots',
  'machine_tokens',
  'trading_keys',
  'value_reservations',
];

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Parent Relationship'?: string;
  readonly 'Subplan Name'?: string;
  readonly Filter?: string;
  readonly Plans?: readonly Plan[];
  readonly [other: string]: unknown;
}

let notices: string[] = [];
const sql = postgres(inject('superuserUrl'), {
  max: 1,
  onnotice: ({ message }) => message && notices.push(message),
});
let session: postgres.ReservedSql;
let client: { id: string; user_id: string; bot: string; token: string };

beforeAll(async () => {
  session = await sql.reserve();
  await session`begin`;
  await fillTables(session, WALLETS);
  const [row] = await session<[typeof client]>`
    select clients.id, user_id, bots.id as bot, clients.id::text as token
    from public.clients join public.bots on bots.client_id = clients.id
    join public.machine_tokens as tokens on tokens.client_id = clients.id
    join public.machine_token_bots as signs on signs.token_id = tokens.id and signs.bot_id = bots.id
    where clients.email like 'filler-%' limit 1`;
  client = row;
  await session`load 'auto_explain'`;
  await session`select set_config('auto_explain.log_' || name, value, true) from (values
    ('min_duration', '0'), ('nested_statements', 'on'), ('format', 'json'), ('level', 'notice')) as v (name, value)`;
}, 120_000);
afterAll(async () => {
  await session`rollback`;
  session.release();
  await sql.end({ timeout: 1 });
});

/** All plans of a call, nested ones included. */
async function plansOf(role: 'anon' | 'authenticated', statement: string, args: readonly unknown[]) {
  const claims = { role, ...(role === 'authenticated' && { sub: client.user_id }) };
  await session`savepoint before`;
  try {
    await session`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
      set_config('request.jwt.claim.sub', ${claims.sub ?? ''}, true)`;
    await session.unsafe(`set local role ${role}`);
    notices = [];
    await session.unsafe(statement, args as never[]);
  } finally {
    await session`rollback to savepoint before`;
  }
  return notices.flatMap((notice) => {
    const json = /plan:\n(\{[\s\S]*\})/.exec(notice)?.[1];
    return json ? [(JSON.parse(json) as { Plan: Plan }).Plan] : [];
  });
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

const rpc = (name: string, args: readonly unknown[]) =>
  `select public.${name}(${args.map((_, index) => `$${index + 1}`).join(', ')})`;
const edge = inject('edgeToken');
const CLAIM = { kind: 'evm.transaction', chain_id: '1', recipients: [], value: '1', digest: 'ab'.repeat(32) };

const CALLS: readonly [line: string, role: 'anon' | 'authenticated', args: () => readonly unknown[]][] = [
  ['get_own_client', 'authenticated', () => []],
  ['get_client', 'authenticated', () => [client.id]],
  ['get_trading_key', 'authenticated', () => [client.id]],
  ['list_bots', 'authenticated', () => [client.id, 50]],
  ['get_bot', 'authenticated', () => [client.bot]],
  ['get_bot_health', 'authenticated', () => [client.bot, 50]],
  ['get_policy', 'authenticated', () => [client.bot]],
  ['set_policy', 'authenticated', () => [client.bot, { max_value: '1' }]],
  ['stop_bot', 'authenticated', () => [client.bot]],
  ['list_tokens', 'authenticated', () => [client.bot, 50]],
  ['setup_bot', 'authenticated', () => [edge, client.id, 'evm-grid', 'A bot', {}, {}]],
  ['rotate_key', 'authenticated', () => [edge, client.id, ...sealedArguments(client.id)]],
  ['revoke_key', 'authenticated', () => [client.id]],
  ['revoke_key_at_edge', 'authenticated', () => [edge, client.id]],
  ['check_out_key', 'anon', () => [edge, client.token, client.bot, CLAIM]],
  ['list_runner_bots', 'anon', () => [client.token]],
  ['record_heartbeat', 'anon', () => [client.token, client.bot, 'ok']],
];

/** Plans that read a growing table from end to end, or evaluate for each row a condition that is the same for all. */
function flawsOf(plans: readonly Plan[]): string[] {
  return plans.flatMap(nodesOf).flatMap((node) => {
    const relation = node['Relation Name'] ?? '';
    const conditions = JSON.stringify([
      node.Filter,
      node['Index Cond'],
      node['Recheck Cond'],
      node['Join Filter'],
    ]);
    return [
      ...(node['Node Type'] === 'Seq Scan' && GROWING.includes(relation) ? [`reads all of ${relation}`] : []),
      ...(/is_admin|own_client_id|uid\(|current_setting/.test(conditions)
        ? [`evaluates for each row: ${conditions}`]
        : []),
    ];
  });
}

it.each(CALLS)('%s finds its rows by index and evaluates its policies once', async (name, role, args) => {
  const plans = await plansOf(role, rpc(name, args()), args());
  expect(plans.flatMap(nodesOf).some((node) => GROWING.includes(node['Relation Name'] ?? ''))).toBe(true);
  expect(flawsOf(plans)).toEqual([]);
});

it.each([
  ['select count(*) from public.bots', 'bots'],
  ['select id from public.bot_wallets', 'bot_wallets'],
  ['select id from public.key_events', 'key_events'],
  ['select address from public.trading_keys', 'trading_keys'],
])('%s directly at the table evaluates its policy once for all rows', async (statement) => {
  const plans = await plansOf('authenticated', statement, []);
  const nodes = plans.flatMap(nodesOf);
  expect(nodes.filter((node) => node['Parent Relationship'] === 'InitPlan').length).toBeGreaterThanOrEqual(1);
  expect(flawsOf(plans).filter((flaw) => flaw.startsWith('asks'))).toEqual([]);
});

it('detects a plan that reads a whole table, and a condition that is evaluated for each row', async () => {
  const all = await plansOf('authenticated', `select from public.bots where name = 'x'`, []);
  expect(flawsOf(all)).toContain('reads all of bots');
  const each = await plansOf(
    'authenticated',
    'select from public.bots where private.own_client_id() = client_id',
    [],
  );
  expect(flawsOf(each).some((flaw) => flaw.startsWith('evaluates for each row'))).toBe(true);
});
