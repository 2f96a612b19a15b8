/** `npm run restore`: what it loads and rejects, and the whole way from a backup to the first signature, as docs/how-to/back-up-and-restore.md has it. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type postgres from 'postgres';
import { recoverMessageAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { newMachineToken } from '../../src/machine-token.ts';
import { FIRST_LINE, MANIFEST, type Manifest, SHA256 } from '../../tools/operator/backup/format.ts';
import { loadBackup } from '../../tools/operator/backup/load-backup.ts';
import { verifyBackup } from '../../tools/operator/backup/read-backup.ts';
import { prepareTransaction } from '../../tools/operator/backup/tables.ts';
import { signIn } from '../../tools/stack/session.ts';
import { admitEdgeToken } from '../../tools/stack/stack.ts';
import { runOperator } from '../support/operator-commands.ts';
import { newProject } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import type { Project } from '../support/projects.ts';
import { recordText } from '../support/recorder.ts';
import { type RunningWorker, request, startWorker } from '../support/worker.ts';
import {
  addFactors,
  documented,
  documentedSql,
  keysIn,
  MESSAGE,
  newestEvent,
  newScene,
  type Scene,
  settingsOf,
  shell,
  sqlOf,
  superuserOf,
  type Trader,
} from './backup-scene.ts';
import { contentsOf } from './contents.ts';

let directory: string;
let edgeToken: string;
let scene: Scene;
/** The contents of the scene when it was backed up. */
let contents: Record<string, string[]>;
let lastEvent: string;
let backup: string;
const at = (name: string) => join(directory, name);

/** An empty project into which a backup can be restored. */
async function emptyProject(): Promise<Project> {
  const project = await newProject();
  await addFactors(project);
  return project;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trading-keys-restore-'));
  scene = await newScene();
  const env = { DATABASE_URL: scene.project.databaseUrl, BACKUPS: directory };
  expect(await shell(documented('backup'), env)).toMatchObject({ code: 0 });
  backup = at('backup.sql.gz');
  contents = await contentsOf(scene.project.databaseUrl);
  lastEvent = await newestEvent(scene.sql);
});
afterAll(async () => {
  await scene.sql.end();
  rmSync(directory, { recursive: true });
});

const restore = (project: Project, ...args: string[]) =>
  runOperator('restore', ['--from', backup, ...args], {
    env: { DATABASE_URL: project.databaseUrl },
    cwd: directory,
  });

/** Runs a restore that must be rejected because of this reason, and asserts that the command changes nothing. */
async function expectRejected(project: Project, why: string | RegExp, ...args: string[]): Promise<void> {
  const before = await contentsOf(project.databaseUrl);
  const { code, out, err } = await restore(project, ...args);
  expect([code, out, err]).toEqual([1, '', expect.stringMatching(why)]);
  expect(err).not.toMatch(/\n {4}at /);
  expect(await contentsOf(project.databaseUrl)).toEqual(before);
}

describe('the rows of a backup', () => {
  let target: Project;
  beforeAll(async () => {
    target = await emptyProject();
  });

  test('are loaded unchanged, with the next values of the sequences', async () => {
    const sql = sqlOf(target);
    await sql.begin(async (transaction) => {
      await prepareTransaction(transaction);
      await loadBackup(transaction, backup, await verifyBackup(backup));
    });
    expect(await contentsOf(target.databaseUrl)).toEqual(contents);
    const [queue] = await sql<[{ last: number; next: number }]>`
      select max(number)::integer as last,
        nextval(pg_get_serial_sequence('private.queued_key_events', 'number'))::integer as next
      from private.queued_key_events`;
    expect([queue.last > 0, queue.next]).toEqual([true, queue.last + 1]);
    await sql.end();
  });

  test('are not loaded into a database that already has them', () =>
    expectRejected(target, /auth\.\w+ has rows.* Nothing was changed\.\n$/));
});

describe('a restore is rejected and changes nothing', () => {
  let target: Project;
  let sql: postgres.Sql;
  beforeAll(async () => {
    target = await emptyProject();
    sql = sqlOf(target);
  });
  afterAll(() => sql.end());

  test('if the database has an account', async () => {
    const id = crypto.randomUUID();
    await sql`insert into auth.users (id, aud, role, email) values (${id}, 'authenticated', 'authenticated', 'x@example.test')`;
    await expectRejected(target, 'auth.users has rows');
    await sql`delete from auth.users where id = ${id}`;
  });

  test('if the database has a client', async () => {
    const [client] = await sql<[{ id: string }]>`
      insert into public.clients (name, email) values ('x', 'x@example.test') returning id`;
    await expectRejected(target, 'public.clients has rows');
    await sql`delete from public.clients where id = ${client.id}`;
  });

  test('if the database has the history of a client that was deleted', async () => {
    await expectRejected(target, 'private.queued_key_events has rows');
    await sql`delete from private.queued_key_events where client_id <> private.deployment()`;
  });

  test('if the database has other migrations', async () => {
    await sql`insert into supabase_migrations.schema_migrations (version, name) values ('20991231235959', 'later')`;
    await expectRejected(target, /migrations .* differ.* Only in the database: 20991231235959\./);
    await sql`delete from supabase_migrations.schema_migrations where version = '20991231235959'`;
    const [first] = await sql<[{ version: string }]>`
      update supabase_migrations.schema_migrations set version = '0' || version
      where version = (select min(version) from supabase_migrations.schema_migrations) returning version`;
    await expectRejected(target, /Only in the backup: 2\d+\. Only in the database: 02\d+\./);
    await sql`update supabase_migrations.schema_migrations set version = ${first.version.slice(1)} where version = ${first.version}`;
  });

  test('if the database lacks a table or a column of the backup', async () => {
    const superuser = superuserOf(target);
    await superuser`alter table auth.mfa_factors rename column secret to other_secret`;
    await expectRejected(target, /columns of auth\.mfa_factors .*: secret\./);
    await superuser`alter table auth.mfa_factors rename column other_secret to secret`;
    await superuser`alter table auth.mfa_factors rename to other_factors`;
    await expectRejected(target, /the table auth\.mfa_factors, and the database does not/);
    await superuser`alter table auth.other_factors rename to mfa_factors`;
    await superuser.end();
  });

  test('if the database has no migrations', async () => {
    const { code, err } = await restore({
      ...target,
      databaseUrl: inject('superuserUrl').replace(/postgres$/, 'template1'),
    });
    expect([code, err]).toEqual([1, expect.stringContaining('Push the migrations')]);
  });

  test('if a row breaks a constraint, and names the constraint', async () => {
    // An envelope of one client in the row of another: as in a backup whose checksums were recomputed.
    const rows = contents['public.trading_keys']?.map((row) => JSON.parse(row)) ?? [];
    const changed = rebuilt((text) => text.replaceAll(rows[0].encrypted_key, rows[1].encrypted_key));
    writeFileSync(at('swapped.sql'), changed);
    await verifyBackup(at('swapped.sql'));
    await expectRejected(
      target,
      /SQLSTATE 23514, table \w+, constraint "a .* names its own row"/,
      '--from',
      at('swapped.sql'),
    );
  });

  test('if a list of ended keys is damaged', async () => {
    writeFileSync(at('damaged.jsonl'), '{"format":"trading-keys ended keys, format 1"}\n');
    await expectRejected(target, 'The list of ended keys is damaged', '--ended', at('damaged.jsonl'));
  });

  test('if the file is damaged, before it connects to the database', async () => {
    writeFileSync(at('cut.sql.gz'), readFileSync(backup).subarray(0, -30));
    const { code, err } = await restore(target, '--from', at('cut.sql.gz'));
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^The backup is damaged: .* Nothing was written\.\n$/),
    ]);
  });

  test('and is accepted without any of these faults', async () => {
    const { code, err } = await restore(target);
    expect([code, err]).toEqual([0, expect.stringMatching(/^Database: .+\n$/)]);
  });
});

test('rows of the set-up, such as tokens of the operator and the chain of the deployment, are replaced', async () => {
  const target = await emptyProject();
  const sql = sqlOf(target);
  const superuser = superuserOf(target);
  const deployment = '00000000-0000-0000-0000-000000000000';
  // An event that belongs to no client, chained and queued.
  for (const table of ['public.key_events', 'private.queued_key_events']) {
    await superuser.unsafe(`alter table ${table} drop constraint if exists "an event is of a client"`);
  }
  await sql`insert into private.queued_key_events (client_id, event, actor) values (${deployment}, 'refused', 'operator')`;
  await sql`select private.chain_key_events(${deployment}, 100, true)`;
  await sql`insert into private.queued_key_events (client_id, event, actor) values (${deployment}, 'refused', 'operator')`;
  await sql`insert into public.machine_tokens (name, token_hash, scope)
    values ('cron', sha256('x'), 'monitor')`;
  const { code, out } = await restore(target);
  expect([code, out]).toEqual([
    0,
    expect.stringContaining('2 machine tokens that this database had before: removed.'),
  ]);
  const after = await contentsOf(target.databaseUrl);
  expect(after['public.key_events']).toEqual(contents['public.key_events']);
  await expect(sql`delete from public.key_events where true`).rejects.toMatchObject({ code: 'PT405' });
  const [trigger] = await sql`select tgenabled from pg_trigger where tgname = 'key_events_are_never_changed'`;
  expect(trigger?.tgenabled).toBe('A');
  await Promise.all([sql.end(), superuser.end()]);
});

describe('a damaged backup', () => {
  let text: string;
  beforeAll(() => {
    text = gunzipSync(readFileSync(backup)).toString();
    writeFileSync(at('whole.sql'), text);
  });
  const verdict = (damaged: string | Buffer): Promise<string> => {
    writeFileSync(at('damaged.sql'), damaged);
    return verifyBackup(at('damaged.sql')).then(
      () => 'whole',
      (error: Error) => error.message,
    );
  };
  const DAMAGED = /^The backup is damaged: .+\. Nothing was written\.$/;

  test('is valid as it was written', async () => {
    expect(await verdict(text)).toBe('whole');
    const { code, out, err } = await runOperator('restore', ['--check', '--from', at('whole.sql')]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/is complete and undamaged/);
    expect(out).toMatch(/ 4 {2}public\.trading_keys$/m);
  });

  test('truncated at any position is rejected', async () => {
    const step = Math.floor(text.length / 60);
    for (let end = FIRST_LINE.length + 2; end < text.length - 2; end += step) {
      expect([end, await verdict(text.slice(0, end))]).toEqual([end, expect.stringMatching(DAMAGED)]);
    }
    expect(await verdict(text.slice(0, -2))).toMatch(DAMAGED);
  });

  test('changed in any byte is rejected', async () => {
    const bytes = Buffer.from(text);
    const step = Math.floor(bytes.length / 60);
    for (let place = FIRST_LINE.length + 2; place < bytes.length - 1; place += step) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect([place, await verdict(changed)]).toEqual([place, expect.stringMatching(DAMAGED)]);
    }
  });

  test.each<[string, (text: string) => string]>([
    ['a statement', (whole) => whole.replace('\nCOPY', '\ndrop schema public cascade;\nCOPY')],
    [
      'a statement in place of a table',
      (whole) => whole.replace(/\nCOPY [^;]+;/, '\ndrop schema public cascade;'),
    ],
    [
      'another table',
      (whole) => whole.replace('COPY public.clients ', 'COPY supabase_migrations.schema_migrations '),
    ],
    [
      'SQL in the name of a table',
      (whole) => whole.replace('COPY public.clients ', 'COPY public.clients; drop table x; '),
    ],
    ['an additional row', (whole) => whole.replace('FROM stdin;\n', 'FROM stdin;\n\\N\n')],
    ['text after its end', (whole) => `${whole}select 1;\n`],
    ['a missing table', (whole) => whole.replace(/\nCOPY private\.admins [\s\S]*?\n\\\.\n/, '')],
  ])('with %s is rejected, also if its sums were made again', async (_, change) => {
    expect(await verdict(change(text))).toMatch(DAMAGED);
    if (change(text).startsWith(text)) return;
    expect(await verdict(withSum(change(text)))).toMatch(DAMAGED);
  });

  test('a compressed one, a file that is not UTF-8, and a file that is not a backup are rejected', async () => {
    const compressed = readFileSync(backup);
    expect(await verdict(compressed)).toBe('whole');
    expect(await verdict(compressed.subarray(0, compressed.length / 2))).toMatch(DAMAGED);
    expect(await verdict(gzipSync(text.slice(0, -10)))).toMatch(DAMAGED);
    expect(
      await verdict(
        Buffer.concat([Buffer.from(text.slice(0, 200)), Buffer.from([0xff]), Buffer.from(text.slice(200))]),
      ),
    ).toMatch(DAMAGED);
    for (const other of [
      '',
      'x',
      '-- trading-keys backup, format 2\n',
      '--\n-- PostgreSQL database dump\n--\n',
    ]) {
      expect(await verdict(other)).toMatch(/^The (file is not a backup|backup is damaged)/);
    }
  });
});

describe('the drill of docs/how-to/back-up-and-restore.md', () => {
  let target: Project;
  let sql: postgres.Sql;
  let worker: RunningWorker;
  let said: string;
  const ask = (line: string, token?: string, body?: object) => request(worker.url, line, token, body);
  const tokenOf = async (account: { email: string; password: string }) =>
    (await signIn({ supabaseUrl: target.supabaseUrl, publishableKey: inject('publishableKey') }, account))
      .token;
  const heldBy = async ({ clientId }: Trader) => {
    const trading = await sql`select key_id from public.trading_keys where client_id = ${clientId}`;
    const wallets =
      await sql`select id from public.bot_wallets where client_id = ${clientId} and encrypted_key is not null`;
    return [trading.length, wallets.length];
  };

  beforeAll(async () => {
    const { boris, dora, emil, project } = scene;
    // After the backup: one client revokes, one rotates, and the operator removes the own key of a wallet.
    expect((await scene.request(boris, `DELETE /clients/${boris.clientId}/revoke-key`)).status).toBe(200);
    const next = newEvmKey();
    scene.keys.push(next);
    const rotated = await scene.request(dora, `PUT /clients/${dora.clientId}/rotate-key`, {
      private_key: next.privateKey,
    });
    expect(rotated.status).toBe(200);
    await scene.sql`update public.bot_wallets set key_id = null, encrypted_key = null
      where client_id = ${emil.clientId} and address = ${emil.own.address}`;
    const exported = await shell(documented('keys:ended'), {
      DATABASE_URL: project.databaseUrl,
      BACKUPS: directory,
    });
    expect(exported).toMatchObject({ code: 0 });

    target = await emptyProject();
    sql = sqlOf(target);
    const restored = await shell(documented('restore'), {
      DATABASE_URL: target.databaseUrl,
      BACKUPS: directory,
    });
    expect(restored).toMatchObject({ code: 0 });
    said = restored.out;
    // The restore expired the old one: docs/how-to/back-up-and-restore.md issues a new one.
    edgeToken = newMachineToken();
    await admitEdgeToken(target.databaseUrl, edgeToken);
    worker = await startWorker({ ...settingsOf(target), EDGE_TOKEN: edgeToken });
  });
  afterAll(async () => {
    for (const line of worker.harness.getLogs()) recordText(JSON.stringify(line));
    await worker.harness.close();
    await sql.end();
  });

  test('prints its actions and what the operator must review, and no secret', () => {
    const { anna, boris, dora, emil, admin } = scene;
    expect(said).toContain(`Newest event in the backup: ${lastEvent}.\n`);
    // The trading keys of two clients and their own keys, and one further own key.
    expect(said).toMatch(
      /^The newest list of ended keys is of 2\S+Z\. 5 key ids in the lists ended after the backup\.$/m,
    );
    expect(said).toMatch(/^2 trading keys of the backup had ended: removed/m);
    for (const { clientId } of [boris, dora]) expect(said).toContain(`  client ${clientId}\n`);
    for (const { clientId } of [anna, emil]) expect(said).not.toContain(clientId);
    expect(said).toMatch(/^1 own key of wallets had ended: removed/m);
    expect(said).toMatch(/^2 bots that ran in the backup: stopped\./m);
    expect(said).toMatch(/^3 machine tokens: expired\./m);
    expect(said).toMatch(/^2 clients with a trading key\.$/m);
    expect(said).toContain(`Admins: ${admin.email}.`);
    const [, listed = ''] = /newest list of ended keys is of (\S+)\. /.exec(said) ?? [];
    expect(said).toContain(`These files do not contain keys that ended after ${listed}.`);
    expect(keysIn(said, scene.keys)).toEqual([]);
    expect(said).not.toContain('eyJ');
  });

  test('keys that were revoked, rotated or removed after the backup are gone, and stay gone', async () => {
    expect(await heldBy(scene.anna)).toEqual([1, 2]);
    expect(await heldBy(scene.boris)).toEqual([0, 0]);
    expect(await heldBy(scene.dora)).toEqual([0, 0]);
    expect(await heldBy(scene.emil)).toEqual([1, 1]);
    const ended = await sql`
      select count(*)::integer as keys from private.key_ids
      where ended_at is not null and client_id in (${scene.boris.clientId}, ${scene.dora.clientId})`;
    expect(ended[0]?.keys).toBe(6);
    // By the operator's SQL, which has the most rights of all callers.
    for (const row of contents['public.trading_keys'] ?? []) {
      const { client_id, address, chain, key_id, encrypted_key } = JSON.parse(row);
      if (client_id !== scene.boris.clientId && client_id !== scene.dora.clientId) continue;
      const back = sql`insert into public.trading_keys ${sql({ client_id, address, chain, key_id, encrypted_key })}`;
      await expect(back).rejects.toMatchObject({ name: 'PostgresError' });
    }
    expect(await heldBy(scene.boris)).toEqual([0, 0]);
  });

  test('writes an event of the chain for each removed key, by the operator', async () => {
    for (const { clientId } of [scene.boris, scene.dora]) {
      const [event] = await sql`
        select event, actor from private.every_key_event
        where client_id = ${clientId} and event = 'key_revoked'`;
      expect(event).toEqual({ event: 'key_revoked', actor: 'operator' });
    }
  });

  test('no bot runs, and no earlier machine token is valid', async () => {
    for (const trader of [scene.anna, scene.boris, scene.dora, scene.emil]) {
      const token = await tokenOf(trader);
      expect((await ask(`GET /bots/${trader.botId}`, token)).json.status).toBe('stopped');
      const signed = await ask(`POST /bots/${trader.botId}/sign`, trader.machineToken, MESSAGE);
      expect([signed.status, signed.json.code]).toEqual([401, 'token_invalid']);
    }
    const bot = await ask(`GET /bots/${scene.anna.botId}`, await tokenOf(scene.anna));
    expect(bot.json).toMatchObject({ stop_reason: 'restored' });
  });

  test('accounts sign in as before, and the admin is still an admin', async () => {
    const annas = await tokenOf(scene.anna);
    expect((await ask('GET /clients/me', annas)).json).toMatchObject({ id: scene.anna.clientId });
    expect((await ask('GET /clients', await tokenOf(scene.admin))).json.items).toHaveLength(5);
    expect((await ask(`GET /clients/${scene.boris.clientId}`, annas)).status).toBe(404);
    const [factor] = await sql`select friendly_name from auth.mfa_factors where user_id = ${scene.admin.id}`;
    expect(factor?.friendly_name).toBe('a\tb\\c\n');
  });

  test('an unaffected client signs after an explicit start, and not before', async () => {
    const { anna } = scene;
    const annas = await tokenOf(anna);
    const { json } = await ask(`POST /bots/${anna.botId}/tokens`, annas, { name: 'a new runner' });
    const sign = (address: string) =>
      ask(`POST /bots/${anna.botId}/sign`, json.token, { ...MESSAGE, wallet: address });
    const before = await sign(anna.key.address);
    expect([before.status, before.json.code]).toEqual([409, 'bot_not_running']);
    expect((await ask(`POST /bots/${anna.botId}/start`, annas)).json.status).toBe('running');
    for (const { address } of [anna.key, anna.own]) {
      const signed = await sign(address);
      const signer = await recoverMessageAddress({
        message: MESSAGE.message,
        signature: signed.json.signature,
      });
      expect([signed.status, signer]).toEqual([200, address]);
    }
    // The policy was restored too.
    const other = await ask(`POST /bots/${anna.botId}/sign`, json.token, {
      type: 'evm.transaction',
      transaction: { chainId: 1, nonce: 0, gas: 21_000, to: anna.key.address, value: 1, maxFeePerGas: 1 },
      wallet: anna.key.address,
    });
    expect(other.json.code).toBe('policy_kind_denied');
  });

  test('a client without a key submits its newest one, and signs', async () => {
    const { dora } = scene;
    const next = scene.keys.at(-1);
    const doras = await tokenOf(dora);
    const put = await ask(`POST /clients/${dora.clientId}/setup-bot`, doras, {
      bot_type: 'evm-grid',
      private_key: next?.privateKey,
    });
    expect([put.status, put.json.wallets[0].address]).toEqual([201, next?.address]);
    const { json } = await ask(`POST /bots/${put.json.id}/tokens`, doras, { name: 'a new runner' });
    const signed = await ask(`POST /bots/${put.json.id}/sign`, json.token, MESSAGE);
    expect(signed.status).toBe(200);
  });

  test('with another master key no envelope opens, and the key can be revoked', async () => {
    const otherKey = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');
    const other = await startWorker({ ...settingsOf(target, otherKey), EDGE_TOKEN: edgeToken });
    const { emil } = scene;
    const emils = await tokenOf(emil);
    expect((await request(other.url, `POST /bots/${emil.botId}/start`, emils)).status).toBe(200);
    const { json } = await request(other.url, `POST /bots/${emil.botId}/tokens`, emils, { name: 'x' });
    const asked = { ...MESSAGE, wallet: emil.key.address };
    const signed = await request(other.url, `POST /bots/${emil.botId}/sign`, json.token, asked);
    expect([signed.status, signed.json.code]).toEqual([503, 'key_decryption_failed']);
    expect(signed.text).not.toContain('eyJ');
    await other.harness.close();
  });

  test('the SQL of docs/how-to/back-up-and-restore.md revokes a key, and removes an admin', async () => {
    const { emil, admin } = scene;
    await sql.unsafe(documentedSql('revoke_key').replace(/[0-9a-f-]{36}/, emil.clientId));
    expect(await heldBy(emil)).toEqual([0, 0]);
    await sql.unsafe(documentedSql('private.admins').replace('former-admin@example.com', admin.email));
    expect(await sql`select user_id from private.admins`).toHaveLength(0);
    expect((await ask('GET /clients', await tokenOf(admin))).json.items).toEqual([]);
  });
});

describe('private.after_restore()', () => {
  let target: Project;
  let sql: postgres.Sql;
  const answer = async () =>
    (await sql<{ done: Record<string, unknown> }[]>`select private.after_restore() as done`)[0]?.done;

  beforeAll(async () => {
    target = await emptyProject();
    sql = sqlOf(target);
    await sql.begin(async (transaction) => {
      await prepareTransaction(transaction);
      await loadBackup(transaction, backup, await verifyBackup(backup));
    });
  });
  afterAll(() => sql.end());

  test('waits for a signature that has begun, and allows no signature until it has ended', async () => {
    const { anna } = scene;
    const signers = sqlOf(target);
    const signing = { kind: 'evm.message', value: '0', recipients: [], digest: 'ab'.repeat(32) };
    const checkOut = (transaction: postgres.TransactionSql) => transaction<{ address: string }[]>`
      select public.check_out_key(${inject('edgeToken')}, ${anna.machineToken}, ${anna.botId},
        ${transaction.json(signing)}, ${anna.key.address}) ->> 'address' as address`;
    /** Fails at once if it would have to wait. */
    const impatient = (
      client: postgres.Sql,
      act: (transaction: postgres.TransactionSql) => Promise<unknown>,
    ) =>
      client.begin(async (transaction) => {
        await transaction`set local lock_timeout = '200ms'`;
        return act(transaction);
      });
    const undone = new Error('undone');
    const signed = signers.begin(async (signer) => {
      expect((await checkOut(signer))[0]?.address).toBe(anna.key.address);
      await expect(
        impatient(sql, (operator) => operator`select private.after_restore()`),
      ).rejects.toMatchObject({ code: '55P03' });
      throw undone;
    });
    await expect(signed).rejects.toBe(undone);
    const restoring = sql.begin(async (operator) => {
      await operator`select private.after_restore()`;
      await expect(impatient(signers, checkOut)).rejects.toMatchObject({ code: '55P03' });
      throw undone;
    });
    await expect(restoring).rejects.toBe(undone);
    await signers.end();
  });

  test('last_key_event is the newest event, chained or queued, and never an event of the restore itself', async () => {
    const { anna } = scene;
    class Undo extends Error {}
    /** The result of the function after `prepare`. Both are rolled back. */
    const lastAfter = async (prepare: (transaction: postgres.TransactionSql) => Promise<unknown>) => {
      let done: Record<string, unknown> | undefined;
      await sql
        .begin(async (transaction) => {
          await prepare(transaction);
          [{ done }] = await transaction<
            [{ done: Record<string, unknown> }]
          >`select private.after_restore() as done`;
          throw new Undo();
        })
        .catch((error) => {
          if (!(error instanceof Undo)) throw error;
        });
      return done?.last_key_event;
    };
    expect(await lastAfter(async () => {})).toBe(lastEvent);
    const later = new Date(Date.parse(lastEvent) + 1_234).toISOString();
    const queued = (transaction: postgres.TransactionSql) => transaction`
      insert into private.queued_key_events (client_id, event, actor, created_at)
      values (${anna.clientId}, 'refused', 'client', ${later})`;
    expect(await lastAfter(queued)).toBe(later);
    expect(
      await lastAfter(async (transaction) => {
        await queued(transaction);
        await transaction`select private.chain_key_events(${anna.clientId}, 1000, true)`;
      }),
    ).toBe(later);
    // The ended keys are events of the same transaction.
    expect(
      await lastAfter(
        (transaction) => transaction`delete from public.trading_keys where client_id = ${anna.clientId}`,
      ),
    ).toBe(lastEvent);
    const none = async (transaction: postgres.TransactionSql) => {
      await transaction`alter table public.key_events disable trigger key_events_are_never_changed`;
      await transaction`delete from public.key_events where true`;
      await transaction`delete from private.queued_key_events where true`;
      await transaction`alter table public.key_events enable always trigger key_events_are_never_changed`;
    };
    expect(await lastAfter(none)).toBeNull();
  });

  test('stops running bots, expires valid tokens, and returns what to review', async () => {
    const { admin, boris } = scene;
    await sql.begin(async (transaction) => {
      // Writes no event, because a backup would contain it already.
      await transaction`set local session_replication_role = replica`;
      await transaction`update public.machine_tokens set expires_at = '2020-01-01' where client_id = ${boris.clientId}`;
    });
    expect(await answer()).toEqual({
      bots_stopped: 4,
      tokens_ended: 4,
      clients_unlinked: 0,
      admins_without_account: 0,
      admins: [admin.email],
      clients_with_key: 4,
      last_key_event: lastEvent,
    });
    const bots = await sql`
      select stop_reason, count(*)::integer as bots, count(stopped_at)::integer as with_time from public.bots
      where status = 'stopped' group by stop_reason order by stop_reason`;
    expect([...bots]).toEqual([
      { stop_reason: 'key_revoked', bots: 1, with_time: 1 },
      { stop_reason: 'restored', bots: 4, with_time: 4 },
    ]);
    const tokens = await sql`
      select expires_at < '2021-01-01' as long_ago, count(*)::integer as tokens from public.machine_tokens
      where expires_at <= now() group by long_ago order by long_ago`;
    expect([...tokens]).toEqual([
      { long_ago: false, tokens: 4 },
      { long_ago: true, tokens: 1 },
    ]);
    const events = await sql`
      select actor, detail from private.every_key_event as events
      where events.client_id = private.deployment() and events.event = 'restored'`;
    expect([...events]).toEqual([
      {
        actor: 'operator',
        detail: { bots_stopped: 4, tokens_ended: 4, clients_unlinked: 0, admins_without_account: 0 },
      },
    ]);
  });

  test('can run again', async () => {
    expect(await answer()).toMatchObject({ bots_stopped: 0, tokens_ended: 0, last_key_event: lastEvent });
  });

  test('keeps clients and admins whose account is not in the backup', async () => {
    const { admin, anna } = scene;
    await sql.begin(async (transaction) => {
      await transaction`set local session_replication_role = replica`;
      await transaction`delete from auth.users where id in (${admin.id}, ${anna.id})`;
    });
    expect(await answer()).toMatchObject({ clients_unlinked: 1, admins_without_account: 1, admins: [] });
  });

  test.each(['anon', 'authenticated', 'service_role'])('cannot be called by %s', async (role) => {
    const calling = sql.begin(async (transaction) => {
      await transaction`select set_config('role', ${role}, true)`;
      await transaction`select private.after_restore()`;
    });
    await expect(calling).rejects.toMatchObject({ code: '42501' });
  });
});

/** The backup with a change and recomputed checksums, as an attacker who can write the file makes it. */
function rebuilt(change: (text: string) => string): string {
  const text = change(gunzipSync(readFileSync(backup)).toString());
  const [, old = ''] = new RegExp(`^${MANIFEST}(.*)$`, 'm').exec(text) ?? [];
  const manifest: Manifest = JSON.parse(old);
  for (const table of manifest.tables) {
    const from = text.indexOf(`\nCOPY ${table.name} (`);
    const begin = text.indexOf('\n', from + 1) + 1;
    const rows = text.slice(begin, text.indexOf('\\.\n', begin));
    table.sha256 = createHash('sha256').update(rows).digest('hex');
  }
  return withSum(text.replace(old, JSON.stringify(manifest)));
}

function withSum(text: string): string {
  const end = text.lastIndexOf(SHA256);
  return `${text.slice(0, end)}${SHA256}${createHash('sha256').update(text.slice(0, end)).digest('hex')}\n`;
}
