import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newProject } from '../support/people.ts';
import { failuresOf, installPgtap, runFile, testFiles } from './pgtap.ts';

let sql: postgres.Sql;
let connection: postgres.ReservedSql;

/** A database of its own, because some files read or lock whole tables. */
beforeAll(async () => {
  const { databaseUrl } = await newProject();
  const { pathname } = new URL(databaseUrl);
  const superuserUrl = Object.assign(new URL(inject('superuserUrl')), { pathname }).href;
  const superuser = postgres(superuserUrl, { max: 1, onnotice: () => {} });
  await installPgtap(superuser);
  await superuser.end();
  sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  connection = await sql.reserve();
});
afterAll(() => sql.end({ timeout: 1 }));

describe('supabase/tests', () => {
  it.each(testFiles())('%s', async (path) => {
    expect(failuresOf(await runFile(connection, path))).toEqual([]);
  });

  it('leaves no rows behind', async () => {
    const [left] = await connection`
      select to_regnamespace('tests') as schema, count(clients) as clients
      from (values (1)) as one left join public.clients on email like '%@pgtap.test'`;
    expect(left).toEqual({ schema: null, clients: '0' });
  });
});

describe('the runner', () => {
  it('passes lines that match their plan', () => {
    expect(failuresOf(['1..2', 'ok 1 - a', '', 'ok 2 - b'])).toEqual([]);
  });

  it.each([
    ['a line that is not ok', ['1..2', 'not ok 1 - a', '# why', 'ok 2'], ['not ok 1 - a', '# why']],
    ['a missing line', ['1..2', 'ok 1'], ['planned 2, ran 1']],
    ['an additional line', ['1..1', 'ok 1', 'ok 2'], ['planned 1, ran 2']],
    ['a number twice', ['1..2', 'ok 1', 'ok 1'], ['the lines are not numbered in order']],
    ['no plan', ['ok 1'], ['one plan is needed, there are 0', 'planned undefined, ran 1']],
    ['nothing at all', [], ['one plan is needed, there are 0', 'planned undefined, ran 0']],
    ['a plan of nothing', ['1..0'], ['one plan is needed, there are 1']],
  ])('fails %s', (_, lines, failures) => {
    expect(failuresOf(lines)).toEqual(failures);
  });

  it('fails a file that stops in the middle', async () => {
    await expect(connection.unsafe('begin; select 1; select 1 / 0; select 2').simple()).rejects.toMatchObject(
      { code: '22012' },
    );
    await connection.unsafe('rollback').simple();
  });
});
