/** Supabase's own advisors over the migrated schema: a warning that the dashboard would show fails here first. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PeopledStack, startPeopledStack } from '../support/peopled-stack.ts';

let stack: PeopledStack;
beforeAll(async () => {
  stack = await startPeopledStack();
});
afterAll(() => stack.end());

/** Names of the findings at this level or above. The CLI exits non-zero if there are any, as it does in CI. */
function findings(type: 'security' | 'performance', level: 'info' | 'warn'): string[] {
  const { status, stdout, stderr } = spawnSync(
    join('node_modules', '.bin', 'supabase'),
    [
      ...['db', 'advisors', '--type', type, '--level', level, '--fail-on', level, '--output-format', 'json'],
      `--remote=${stack.databaseUrl}?sslmode=disable`,
    ],
    { encoding: 'utf8', env: { ...process.env, SUPABASE_TELEMETRY_DISABLED: '1' } },
  );
  if (!stdout.startsWith('{"results":')) throw new Error(`supabase db advisors failed:\n${stderr}`);
  const { results } = JSON.parse(stdout) as { results: { name: string; detail: string }[] };
  const found = results.map(({ name, detail }) => `${name}: ${detail}`);
  expect(status === 0).toBe(found.length === 0);
  return found;
}

/** Tables that no API role reads or writes need no policy: without a policy row-level security denies every access. */
const FOR_NOBODY = [
  'event_counts',
  'imported_rows',
  'kept_answers',
  'key_ids',
  'refusal_counts',
  'rewrap_progress',
];

it('find nothing about security except, as information, the tables that no API role may use', () => {
  const expected = FOR_NOBODY.map(
    (name) => `rls_enabled_no_policy: Table \`private.${name}\` has RLS enabled, but no policies exist`,
  );
  expect(findings('security', 'info').sort()).toEqual(expected);
  expect(findings('security', 'warn')).toEqual([]);
});

it('find nothing about performance at the level of a warning', () => {
  expect(findings('performance', 'warn')).toEqual([]);
});

it('find a table without row-level security, a mutable search path, and a policy evaluated for each row', async () => {
  await stack.sql`create table public.loose (id integer primary key, user_id uuid)`;
  await stack.sql`grant select on public.loose to anon, authenticated`;
  await stack.sql`create function public.misled() returns integer language sql return 1`;
  await stack.sql`create table public.slow (id integer primary key, user_id uuid)`;
  await stack.sql`alter table public.slow enable row level security`;
  await stack.sql`create policy "slow" on public.slow for select to authenticated using (user_id = auth.uid())`;
  const names = findings('security', 'info').map((finding) => finding.split(':')[0]);
  expect(names).toEqual(expect.arrayContaining(['rls_disabled_in_public', 'function_search_path_mutable']));
  expect(findings('performance', 'warn').map((finding) => finding.split(':')[0])).toContain(
    'auth_rls_initplan',
  );
});
