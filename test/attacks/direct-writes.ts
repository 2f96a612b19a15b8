/** Requests directly to the REST API, as a session or a runner makes them. */
import postgres from 'postgres';
import type { Person } from '../support/people.ts';
import type { PeopledStack } from '../support/peopled-stack.ts';
import { Raw } from './extreme-values.ts';
import type { Row } from './good-writes.ts';

export interface Outcome {
  readonly status: number;
  readonly text: string;
}

/**
 * `POST table` or `PATCH table?…` with a row, `POST rpc/function` with arguments. JSON in an argument is sent as text,
 * which `@supabase/lite` passes on unchanged: it parses the numbers of a body as JavaScript numbers, and PostgREST does not.
 */
export async function send(
  { supabaseUrl, publishableKey }: PeopledStack,
  line: string,
  by: Person | undefined,
  row: Row,
): Promise<Outcome> {
  const [method = '', path = ''] = line.split(' ');
  const response = await fetch(`${supabaseUrl}/rest/v1/${path}`, {
    method,
    headers: {
      apikey: publishableKey,
      'content-type': 'application/json',
      ...(by && { authorization: `Bearer ${by.token}` }),
    },
    body: JSON.stringify(mapValues(row, asText)),
  });
  return { status: response.status, text: await response.text() };
}

function asText(value: unknown): unknown {
  if (value instanceof Raw) return value.json;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

/** An INSERT with JSON in one of its columns: the statement that PostgREST builds, and the status that it returns. */
export function insertAsPostgrest(
  stack: PeopledStack,
  table: string,
  by: Person,
  row: Row,
): Promise<Outcome> {
  const members = Object.entries(row).map(
    ([name, value]) => `${JSON.stringify(name)}:${value instanceof Raw ? value.json : JSON.stringify(value)}`,
  );
  const columns = stack.sql(Object.keys(row));
  return asSession(stack, by, async (session) => {
    await session`insert into ${session(`public.${table}`)} (${columns})
      select ${columns} from json_populate_record(null::${session.unsafe(`public.${table}`)}, ${`{${members}}`}::text::json)`;
  });
}

/** Statements of a session after it has presented the edge token: what an attacker who controls the edge could write. */
export async function asSession(
  { sql, edgeToken }: PeopledStack,
  by: Person,
  run: (session: postgres.TransactionSql) => Promise<unknown>,
): Promise<Outcome> {
  const claims = JSON.stringify({ sub: by.userId, role: 'authenticated' });
  try {
    await sql.begin(async (session) => {
      await session`select set_config('role', 'authenticated', true),
        set_config('request.jwt.claim.sub', ${by.userId}, true), set_config('request.jwt.claims', ${claims}, true)`;
      await session`select private.admit_edge(${edgeToken})`;
      await run(session);
    });
    return { status: 201, text: '' };
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error;
    return { status: statusOf(error.code), text: error.message };
  }
}

/** Maps SQLSTATEs to statuses as PostgREST does. An error that the caller did not cause is 500. */
function statusOf(code: string): number {
  if (/^PT\d{3}$/.test(code)) return Number(code.slice(2));
  if (code === '42501') return 403;
  return /^(21|22|23)/.test(code) ? 400 : 500;
}

const mapValues = (row: Row, change: (value: unknown) => unknown): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, change(value)]));
