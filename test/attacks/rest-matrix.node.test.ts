/**
 * Every verb on every column of every table, directly at the REST API, by every kind of caller. The tables come from
 * the catalog: a new table is attacked without being listed here, as soon as `fill` gives it a row.
 */
import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import type { ClientPerson, Person } from '../support/people.ts';
import { type PeopledStack, startPeopledStack } from '../support/peopled-stack.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';

interface Column {
  readonly name: string;
  readonly type: string;
}
interface Table {
  readonly schema: string;
  readonly name: string;
  readonly isView: boolean;
  readonly columns: readonly Column[];
  /** The column that names the owner of a row, if there is one. */
  readonly owner: string | undefined;
}

const SECRET = ['encrypted_key', 'token_hash'];

let stack: PeopledStack;
let tables: readonly Table[];
let [anna, boris]: ClientPerson[] = [];
let admin: Person;
let machineToken = '';
let secrets: readonly string[] = [];

beforeAll(async () => {
  stack = await startPeopledStack();
  [anna, boris, admin] = await Promise.all([
    stack.newClient('Anna'),
    stack.newClient('Boris'),
    stack.newAdmin(),
  ]);
  await fill(anna);
  machineToken = await fill(boris);
  tables = await catalogue(stack.sql);
  const rows = await stack.sql<{ secret: string }[]>`
    select encrypted_key as secret from public.trading_keys
    union all select encode(token_hash, 'hex') from public.machine_tokens`;
  secrets = rows.map(({ secret }) => secret);
});
afterAll(() => stack.end());

/** Adds a row of everything that a client can have. Returns a machine token that is valid. */
async function fill(client: ClientPerson): Promise<string> {
  const { sql } = stack;
  const { clientId, userId } = client;
  const { bots, tokens } = await stack.rows.addKeyAndBots(client);
  const [[bot_id = ''], [token]] = [bots, tokens];
  for (const [table, columns] of Object.entries({
    bot_policies: { max_value: 1 },
    value_reservations: { value: 1 },
    bot_heartbeats: { status: 'ok' },
    bot_health_logs: { state: 'healthy', since: new Date() },
    bot_signing_failures: { recent: '{now}', last_code: 'policy_kind_denied', last_at: new Date() },
  })) {
    await sql`insert into ${sql(`public.${table}`)} ${sql({ bot_id, client_id: clientId, ...columns })}`;
  }
  await sql`insert into private.refusal_counts values (${clientId}, now(), 0, 0)`;
  const [event] = await sql<[{ seq: string; hash: Buffer }]>`
    select seq, hash from public.key_events where client_id = ${clientId} order by seq limit 1`;
  await sql`insert into public.audit_checkpoints ${sql({ client_id: clientId, ...event, jws: checkpoint(clientId, event) })}`;
  await sql`insert into private.imported_rows (source, old_table, old_id, new_id, client_id)
    values ('old', 'bots', ${bot_id}, ${bot_id}, ${clientId})`;
  await sql`insert into private.kept_answers (caller, key, fingerprint, operation, answer)
    values (${`account ${userId}`}, ${randomBytes(32)}, ${randomBytes(32)}, 'start_bot', '{}')`;
  const [cron] = await sql<[{ id: string }]>`
    insert into public.machine_tokens (scope, name, token_hash, master_key_id, expires_at)
    values ('rewrap', 'Moves keys', ${randomBytes(32)}, 'newest', now() + interval '1 day') returning id`;
  await sql`insert into private.rewrap_progress (token_id, client_id) values (${cron.id}, ${clientId})`;
  return token?.token ?? '';
}

/** In the form that the database requires. Its signature is not valid. */
function checkpoint(clientId: string, { seq, hash }: { seq: string; hash: Buffer }): string {
  const parts = [
    { alg: 'EdDSA', typ: 'audit-checkpoint+jwt', kid: 'nobody' },
    { client_id: clientId, seq: Number(seq), hash: hash.toString('hex') },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return [...parts, randomBytes(64).toString('base64url')].join('.');
}

async function catalogue(sql: postgres.Sql): Promise<Table[]> {
  const rows = await sql<Omit<Table, 'owner'>[]>`
    select n.nspname as schema, c.relname as name, c.relkind = 'v' as "isView",
      json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null)) order by a.attnum) as columns
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace join pg_attribute as a on a.attrelid = c.oid
    where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0
    group by n.nspname, c.relname, c.relkind order by c.relname`;
  return rows.map((table) => {
    const names = table.columns.map(({ name }) => name);
    const owner = table.name === 'clients' ? 'id' : names.find((name) => name === 'client_id');
    return { ...table, owner };
  });
}

async function rest(line: string, token: string | undefined, body?: unknown, headers = {}) {
  const [method = '', path = ''] = line.split(' ');
  const response = await fetch(`${stack.supabaseUrl}/rest/v1/${path}`, {
    method,
    headers: {
      apikey: stack.publishableKey,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  for (const secret of secrets) expect(text).not.toContain(secret.slice(-30));
  return { status: response.status, text, rows: response.ok && text.startsWith('[') ? JSON.parse(text) : [] };
}

/** All rows of others than Anna, as one text. */
async function othersThings(): Promise<string> {
  // A view has no rows of its own, and some columns of private.bot_health depend on the time.
  const stored = tables.filter(({ isView }) => !isView);
  const parts = stored.map(({ schema, name, owner }) => {
    const others = owner === undefined ? 'true' : `${owner} is distinct from '${anna?.clientId}'`;
    return `select '${schema}.${name}' as name, md5(coalesce(string_agg(r::text, '|' order by r::text), '')) as rows
      from ${schema}.${name} as r where ${others}`;
  });
  return JSON.stringify(await stack.sql.unsafe(parts.join(' union all ')));
}

/** A value that the column could take and that no row has. */
function valueFor({ name, type }: Column, row: { clientId: string }): unknown {
  if (name === 'client_id' || name === 'id') return row.clientId;
  if (name === 'encrypted_key') return sealedWallet(row.clientId).encrypted_key;
  if (name === 'status') return 'stopped';
  if (type === 'uuid') return crypto.randomUUID();
  if (type === 'jsonb') return { changed: true };
  if (type === 'bytea') return `\\x${randomBytes(32).toString('hex')}`;
  if (type === 'boolean') return true;
  if (['integer', 'bigint', 'numeric'].includes(type)) return 7;
  if (type === 'text[]') return ['1'];
  if (type.startsWith('timestamp')) return '2030-01-01T00:00:00Z';
  return `changed-${randomBytes(4).toString('hex')}`;
}

/** Makes all attempts, with and without a filter, with and without returned rows; a few at a time. */
async function attack(token: string | undefined, target: ClientPerson, columnByColumn = true): Promise<void> {
  const attempts = tables.flatMap(({ schema, name, columns, owner }) => {
    const row = Object.fromEntries(columns.map((column) => [column.name, valueFor(column, target)]));
    // A table that is not exposed is rejected by its name, whatever the column.
    const inTurn = columnByColumn && schema !== 'private';
    const filter = owner === undefined ? '?id=not.is.null' : `?${owner}=eq.${target.clientId}`;
    const asked = { prefer: 'return=representation' };
    const each = inTurn ? Object.entries(row).map(([column, value]) => ({ [column]: value })) : [row];
    return [
      ...each.flatMap((patch) => [
        () => rest(`PATCH ${name}${filter}`, token, patch),
        // Without a filter and without returned rows, the policies for reading do not apply.
        () => rest(`PATCH ${name}`, token, patch),
        () => rest(`PATCH ${name}`, token, patch, asked),
        () => rest(`POST ${name}`, token, patch),
      ]),
      ...['return=representation', 'resolution=merge-duplicates', 'resolution=ignore-duplicates'].map(
        (prefer) => () => rest(`POST ${name}`, token, row, { prefer }),
      ),
      () => rest(`PUT ${name}${filter}`, token, row),
      () => rest(`DELETE ${name}${filter}`, token),
      () => rest(`DELETE ${name}`, token),
      () => rest(`DELETE ${name}`, token, undefined, asked),
    ];
  });
  await together(attempts);
}

const AT_A_TIME = 12;
async function together<Answer>(attempts: readonly (() => Promise<Answer>)[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < attempts.length; at = next++) {
      const attempt = attempts[at];
      if (attempt) answers[at] = await attempt();
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return answers;
}

it('Boris has a row in every table: an empty table cannot be attacked', async () => {
  for (const { schema, name, owner } of tables) {
    const mine = owner === undefined ? 'true' : `${owner} = '${boris?.clientId}'`;
    const [row] = await stack.sql.unsafe(
      `select exists (select from ${schema}.${name} where ${mine}) as "is"`,
    );
    expect([name, row?.is]).toEqual([name, true]);
  }
});

describe('a caller who is not signed in', () => {
  it.each<[string, () => Promise<string> | string | undefined, boolean]>([
    ['with no token', () => undefined, true],
    ['with a machine token that is in force', () => machineToken, false],
    ['with the role anon', () => stack.token({ role: 'anon' }), true],
    ['with garbage', () => 'a.b.c', false],
  ])('%s: reads no column, changes nothing', async (_, token, columnByColumn) => {
    const before = await othersThings();
    const own = await stack.sql`select md5(string_agg(t::text, '')) from public.trading_keys as t`;
    const by = await token();
    const reads = tables.flatMap(({ name, columns }) =>
      columns.map((column) => () => rest(`GET ${name}?select=${column.name}`, by)),
    );
    for (const { status, rows } of await together(reads)) {
      expect(rows).toEqual([]);
      expect(status).toBeGreaterThanOrEqual(400);
    }
    await attack(by, boris as ClientPerson, columnByColumn);
    expect(await othersThings()).toBe(before);
    expect(await stack.sql`select md5(string_agg(t::text, '')) from public.trading_keys as t`).toEqual(own);
  });
});

describe('a client', () => {
  it('reads no column of a row that is not its own, and no secret of its own', async () => {
    const reads = tables.flatMap(({ schema, name, columns, owner }) =>
      columns.map((column) => async () => {
        const answer = await rest(
          `GET ${name}?select=${column.name}${owner ? `,${owner}` : ''}`,
          anna?.token,
        );
        if (schema === 'private' || SECRET.includes(column.name)) {
          expect([name, column.name, answer.status >= 400]).toEqual([name, column.name, true]);
        }
        if (owner !== undefined)
          for (const row of answer.rows) expect([name, row[owner]]).toEqual([name, anna?.clientId]);
        const foreign = owner === undefined ? '' : `&${owner}=eq.${boris?.clientId}`;
        if (foreign)
          expect((await rest(`GET ${name}?select=${column.name}${foreign}`, anna?.token)).rows).toEqual([]);
      }),
    );
    await together(reads);
  });

  it('changes no row of another client, and no own row against the rules', async () => {
    const before = await othersThings();
    await attack(anna?.token, boris as ClientPerson);
    expect(await othersThings()).toBe(before);
    await attack(anna?.token, anna as ClientPerson);
    expect(await othersThings()).toBe(before);
    expect(await violationsOf(stack.sql, [anna?.clientId ?? '', boris?.clientId ?? ''])).toEqual([]);
  });
});

describe('an admin', () => {
  it('reads no secret and no table of the operator, and breaks no rule', async () => {
    for (const { schema, name, columns } of tables) {
      for (const column of columns) {
        const { status } = await rest(`GET ${name}?select=${column.name}`, admin.token);
        if (schema === 'private' || SECRET.includes(column.name))
          expect([name, column.name, status >= 400]).toEqual([name, column.name, true]);
      }
    }
    const events = await stack.sql`select * from public.key_events order by client_id, seq`;
    for (const target of [boris, anna]) await attack(admin.token, target as ClientPerson);
    expect(await violationsOf(stack.sql, [anna?.clientId ?? '', boris?.clientId ?? ''])).toEqual([]);
    // The audit chain grows; none of its rows was changed.
    const after = await stack.sql`select * from public.key_events order by client_id, seq`;
    const there = new Set(after.map((event) => JSON.stringify(event)));
    expect(events.filter((event) => !there.has(JSON.stringify(event)))).toEqual([]);
  });
});

describe('schemas that are not exposed', () => {
  it('the schema private is rejected by every profile and verb', async () => {
    const before = await othersThings();
    for (const { name } of tables.filter(({ schema }) => schema === 'private')) {
      for (const profile of ['private', 'auth', 'pg_catalog', 'information_schema', 'public,private']) {
        for (const token of [undefined, anna?.token, admin.token]) {
          const headers = { 'accept-profile': profile, 'content-profile': profile };
          for (const line of [
            `GET ${name}`,
            `GET private.${name}`,
            `DELETE ${name}`,
            `PATCH ${name}`,
            `POST ${name}`,
          ]) {
            const body = /^(PATCH|POST)/.test(line) ? { user_id: anna?.userId } : undefined;
            expect([line, profile, (await rest(line, token, body, headers)).rows]).toEqual([
              line,
              profile,
              [],
            ]);
          }
        }
      }
    }
    expect(await othersThings()).toBe(before);
  });

  it('functions of the schema private, and of PostgreSQL, are rejected', async () => {
    const functions = await stack.sql<{ name: string }[]>`
      select distinct proname as name from pg_proc where pronamespace = 'private'::regnamespace
        and proname not in (select proname from pg_proc where pronamespace = 'public'::regnamespace)`;
    const builtin = [
      'pg_read_file',
      'pg_sleep',
      'pg_terminate_backend',
      'set_config',
      'lo_import',
      'query_to_xml',
      'version',
    ];
    for (const name of [...functions.map((row) => row.name), ...builtin]) {
      for (const profile of ['public', 'private']) {
        const { status } = await rest(`POST rpc/${name}`, admin.token, {}, { 'content-profile': profile });
        expect([name, profile, status >= 400]).toEqual([name, profile, true]);
      }
    }
  });
});
