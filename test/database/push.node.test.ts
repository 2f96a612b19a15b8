/** `supabase db push`, as an operator runs it, into an empty hosted project: as `postgres`, which is not a superuser. */
import { spawnSync } from 'node:child_process';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createSupabaseApi } from '../../tools/stack/supabase-api.ts';
import { newDatabase } from '../support/projects.ts';
import { failuresOf, installPgtap, runFile, testFiles } from './pgtap.ts';

const MIGRATIONS = join('supabase', 'migrations');
const GUARDS = testFiles().filter((path) => path.startsWith('guards/'));

/** The default rights of the API roles, until 2026-10-30, on objects that `postgres` creates in `public`. */
const BEFORE_2026_10 = ['tables', 'sequences', 'functions']
  .map(
    (kind) =>
      `alter default privileges in schema public grant all on ${kind} to anon, authenticated, service_role`,
  )
  .join(';');

function push(databaseUrl: string) {
  const { status, stdout, stderr } = spawnSync(
    join('node_modules', '.bin', 'supabase'),
    ['db', 'push', `--remote=${databaseUrl}?sslmode=disable`, '--include-seed', '--yes'],
    { encoding: 'utf8', env: { ...process.env, SUPABASE_TELEMETRY_DISABLED: '1' } },
  );
  return { status, output: `${stdout}${stderr}` };
}

describe.each([
  ['before 2026-10', BEFORE_2026_10],
  ['since 2026-10', ''],
])('with the default grants of hosted projects %s', (_, grants) => {
  let databaseUrl: string;
  let sql: postgres.Sql;
  let connection: postgres.ReservedSql;

  beforeAll(async () => {
    const database = await newDatabase({
      superuserUrl: inject('superuserUrl'),
      databaseUrl: inject('databaseUrl'),
    });
    ({ databaseUrl } = database);
    const api = createSupabaseApi({
      databaseUrl,
      jwtSecret: inject('jwtSecret'),
      publishableKey: inject('publishableKey'),
      poolSize: 1,
    });
    await api.prepare();
    await api.close();
    const superuser = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
    await installPgtap(superuser);
    await superuser.end();
    sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
    connection = await sql.reserve();
    if (grants !== '') await connection.unsafe(grants).simple();
  });
  afterAll(() => sql.end({ timeout: 1 }));

  it('every migration and the seed are pushed, and a second push has nothing to do', async () => {
    const first = push(databaseUrl);
    expect(first, first.output).toMatchObject({ status: 0 });
    const files = readdirSync(MIGRATIONS).map((name) => name.replace('.sql', ''));
    const applied = await connection<{ file: string }[]>`
      select version || '_' || name as file from supabase_migrations.schema_migrations order by version`;
    expect([...applied].map(({ file }) => file)).toEqual(files.sort());
    const [seeded] = await connection`select count(*)::integer as types from public.bot_types`;
    expect(seeded).toEqual({ types: 4 });
    const second = push(databaseUrl);
    expect(second, second.output).toMatchObject({ status: 0 });
    expect(second.output).toContain('up to date');
  });

  it('has a guard for each subject', () => expect(GUARDS.length).toBeGreaterThanOrEqual(4));

  it.each(GUARDS)('%s', async (path) => {
    expect(failuresOf(await runFile(connection, path))).toEqual([]);
  });
});

it('no pushed file has a begin atomic body, which the Supabase CLI 2 cuts at the first "end"', () => {
  const files = [
    ...readdirSync(MIGRATIONS).map((name) => join(MIGRATIONS, name)),
    join('supabase', 'seed.sql'),
  ];
  const cut = files.filter((file) =>
    /\bbegin\s+atomic\b/i.test(readFileSync(file, 'utf8').replaceAll(/--.*$/gm, '')),
  );
  expect(cut).toEqual([]);
});

it('every command that a document or a remedy names has the linked project as its target: --remote', () => {
  const documents = globSync('docs/**/*.md');
  const named = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...globSync('src/problems/*.ts'),
    ...documents,
  ].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/supabase (?:db|migration) (?!start|reset)\w+[^`"\n]*/g)].map(
      ([command]) => `${file}: ${command}`,
    ),
  );
  expect(named.length).toBeGreaterThan(1);
  expect(named.filter((command) => !command.includes('--remote'))).toEqual([]);
});
