/** `npm run backup` and `npm run keys:ended`: what they write, and what they do not touch. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readEndedKeys, writeEndedKeys } from '../../tools/operator/backup/ended-keys.ts';
import { verifyBackup } from '../../tools/operator/backup/read-backup.ts';
import { backupOf } from '../../tools/operator/backup/write-backup.ts';
import { MASTER_KEY } from '../support/api.ts';
import { OPERATOR, runOperator } from '../support/operator-commands.ts';
import { newProject } from '../support/people.ts';
import { keysIn, newestEvent, newScene, type Scene, sqlOf, superuserOf } from './backup-scene.ts';
import { contentsOf } from './contents.ts';

let directory: string;
let scene: Scene;
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trading-keys-backup-'));
  scene = await newScene();
});
afterAll(async () => {
  await scene.sql.end();
  rmSync(directory, { recursive: true });
});

const run = (command: string, args: string[], env: Record<string, string> = {}) =>
  runOperator(command, args, { env: { DATABASE_URL: scene.project.databaseUrl, ...env }, cwd: directory });

describe('npm run backup', () => {
  let text: string;
  let contents: Record<string, string[]>;

  beforeAll(async () => {
    contents = await contentsOf(scene.project.databaseUrl);
    const { code, out, err } = await run('backup', ['--out', 'backup.sql']);
    expect([code, out]).toEqual([0, '']);
    expect(err).toContain(`Newest event: ${await newestEvent(scene.sql)}.`);
    text = readFileSync(at('backup.sql'), 'utf8');
  });

  test('contains every row of every table, and its manifest has the counts', async () => {
    const { tables, newest_event, migrations } = await verifyBackup(at('backup.sql'));
    expect(tables.map(({ name, rows }) => [name, rows])).toEqual(
      Object.entries(contents).map(([name, rows]) => [name, rows.length]),
    );
    expect(contents['public.trading_keys']).toHaveLength(4);
    expect(contents['public.bot_wallets']).toHaveLength(9);
    expect(contents['auth.mfa_factors']).toHaveLength(1);
    expect(contents['private.key_ids']?.length).toBeGreaterThan(9);
    expect(newest_event).toBe(await newestEvent(scene.sql));
    expect(migrations.length).toBeGreaterThan(20);
    expect(Object.keys(contents).filter((name) => /sessions|refresh|one_time|flow/.test(name))).toEqual([]);
  });

  test('contains no private key in any format, no token and no password', () => {
    expect(text).toMatch(/\teyJ[\w-]{100}/);
    expect(keysIn(text, scene.keys)).toEqual([]);
    const { machineToken, password } = scene.anna;
    for (const secret of [MASTER_KEY, machineToken, password]) expect(text).not.toContain(secret);
  });

  test('is readable by its owner alone, and the only file in the directory', () => {
    expect(statSync(at('backup.sql')).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['backup.sql']);
  });

  test('has the same content when compressed, and on standard output', async () => {
    const withoutTime = (backup: string) =>
      backup.replace(/"created_at":"[^"]+"/, '').replace(/-- sha256 .*/, '');
    expect((await run('backup', ['--out', 'compressed.sql.gz'])).code).toBe(0);
    expect(withoutTime(gunzipSync(readFileSync(at('compressed.sql.gz'))).toString())).toBe(withoutTime(text));
    const { code, out } = await run('backup', ['--out', '-']);
    expect([code, withoutTime(out)]).toEqual([0, withoutTime(text)]);
  });

  test('does not overwrite a file', async () => {
    writeFileSync(at('kept'), 'kept');
    const { code, err } = await run('backup', ['--out', 'kept']);
    expect([code, err, readFileSync(at('kept'), 'utf8')]).toEqual([
      1,
      expect.stringContaining('exists'),
      'kept',
    ]);
  });

  test.each([
    ['no --out', [], 2],
    ['a directory that does not exist', ['--out', 'nowhere/backup.sql'], 1],
    ['an unknown option', ['--out', 'other.sql', '--fast'], 2],
  ])('with %s -> an exit code, and no file', async (_, args, expected) => {
    const before = readdirSync(directory);
    const { code, err } = await run('backup', args);
    expect([code, /\n {4}at /.test(err), readdirSync(directory)]).toEqual([expected, false, before]);
  });

  test('with a role that row-level security applies to -> exit code 1, not a backup with fewer rows', async () => {
    const superuser = superuserOf(scene.project);
    await superuser.unsafe(`create role reader login password 'reader'`);
    await superuser.unsafe(`grant usage on schema public, private, auth, supabase_migrations to reader`);
    for (const schema of ['public', 'private', 'auth', 'supabase_migrations']) {
      await superuser.unsafe(`grant select on all tables in schema ${schema} to reader`);
    }
    await superuser.unsafe('grant execute on all functions in schema private to reader');
    const url = Object.assign(new URL(scene.project.databaseUrl), {
      username: 'reader',
      password: 'reader',
    }).href;
    const { code, err } = await run('backup', ['--out', 'fewer.sql'], { DATABASE_URL: url });
    await superuser.unsafe('drop owned by reader; drop role reader');
    await superuser.end();
    expect([code, existsSync(at('fewer.sql'))]).toEqual([1, false]);
    expect(err).toContain('SQLSTATE 42501');
  });

  test.runIf(existsSync('/dev/full'))('ends with an error if the disk is full', () => {
    // Through a file descriptor, because backup does not overwrite an existing file.
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', 'exec "$0" "$1" --out - > /dev/full', process.execPath, join(OPERATOR, 'backup.ts')],
      { env: { DATABASE_URL: scene.project.databaseUrl }, encoding: 'utf8', timeout: 60_000 },
    );
    expect([status, stderr]).toEqual([1, expect.stringMatching(/: ENOSPC\.\n$/)]);
  });

  test('continues after a table whose last rows arrived while earlier ones waited to be written', {
    timeout: 30_000,
  }, async () => {
    const project = await newProject();
    const sql = sqlOf(project);
    // A few times the amount that postgres.js buffers before it stops reading: 64 KiB.
    for (const kilobytes of [140, 160, 180, 200]) {
      await sql`delete from public.bot_types where true`;
      await sql`insert into public.bot_types (id, name, description, chain)
        select 'type-' || number, 'x', repeat('x', 1000), 'evm' from generate_series(1, ${kilobytes}) as number`;
      const manifest = await sql.begin('isolation level repeatable read read only', async (transaction) => {
        const parts = backupOf(transaction);
        for (;;) {
          const { done, value } = await parts.next();
          if (done) return value;
          if (value.includes('type-')) await setTimeout(100);
        }
      });
      expect(manifest.tables.find(({ name }) => name === 'public.bot_types')?.rows).toBe(kilobytes);
    }
    await sql.end();
  });

  test('is of one snapshot: it has no row that was committed while it was written', async () => {
    await scene.sql.begin('isolation level repeatable read read only', async (transaction) => {
      const parts = backupOf(transaction);
      await parts.next();
      const [client] = await scene.sql<[{ id: string }]>`
        insert into public.clients (name, email) values ('late', 'late@example.test') returning id`;
      let result = await parts.next();
      while (!result.done) result = await parts.next();
      await scene.sql`delete from public.clients where id = ${client.id}`;
      const clients = result.value.tables.find(({ name }) => name === 'public.clients');
      expect(clients?.rows).toBe(contents['public.clients']?.length);
    });
  });
});

describe('npm run keys:ended', () => {
  const ended = (sql: postgres.Sql) => sql<{ key_id: string; client_id: string }[]>`
    select key_id, client_id from private.key_ids where ended_at is not null order by ended_at, key_id`;

  test('writes every key id that has ended, and no other', async () => {
    const { code, out } = await run('keys-ended', ['--out', 'ended.jsonl']);
    expect([code, out, statSync(at('ended.jsonl')).mode & 0o777]).toEqual([0, '', 0o600]);
    const { keys } = readEndedKeys(at('ended.jsonl'));
    expect(keys.map(({ key_id, client_id }) => ({ key_id, client_id }))).toEqual([
      ...(await ended(scene.sql)),
    ]);
    // The first key of four clients, and the revoked one.
    expect(keys).toHaveLength(5);
    const { out: piped } = await run('keys-ended', ['--out', '-']);
    expect(piped.split('\n').slice(1, 6)).toEqual(
      readFileSync(at('ended.jsonl'), 'utf8').split('\n').slice(1, 6),
    );
  });

  test('overwrites an earlier list', async () => {
    const earlier = readEndedKeys(at('ended.jsonl'));
    writeFileSync(at('ended.jsonl'), writeEndedKeys({ ...earlier, keys: earlier.keys.slice(1) }));
    expect((await run('keys-ended', ['--out', 'ended.jsonl'])).code).toBe(0);
    expect(readEndedKeys(at('ended.jsonl')).keys).toEqual(earlier.keys);
  });

  test('does not overwrite a list with ids that have not ended in the database, as after a restore of an older backup', async () => {
    const list = readEndedKeys(at('ended.jsonl'));
    const newer = { key_id: crypto.randomUUID(), client_id: scene.anna.clientId, ended_at: list.created_at };
    const text = writeEndedKeys({ ...list, keys: [...list.keys, newer] });
    writeFileSync(at('newer.jsonl'), text);
    const { code, err } = await run('keys-ended', ['--out', 'newer.jsonl']);
    expect([code, err]).toEqual([1, expect.stringContaining('1 key ids that have not ended')]);
    expect(readFileSync(at('newer.jsonl'), 'utf8')).toBe(text);
  });

  test('a list that was truncated, changed or extended is rejected', () => {
    const whole = readFileSync(at('ended.jsonl'), 'utf8');
    const lines = whole.split('\n');
    const damaged = [
      '',
      whole.slice(0, -20),
      lines.slice(0, 3).join('\n'),
      lines.toSpliced(2, 1).join('\n'),
      whole.replace(/[0-9a-f](?=","ended_at)/, 'x'),
      whole.replace(/"ended_at":"2/, '"ended_at":"1'),
      `${whole}{}\n`,
      'key_id,client_id\n',
    ];
    for (const text of damaged) {
      writeFileSync(at('damaged.jsonl'), text);
      expect(() => readEndedKeys(at('damaged.jsonl'))).toThrow('damaged');
    }
  });
});
