/** A project with accounts, keys and a history that is backed up, and tools to inspect a restored project. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import postgres from 'postgres';
import { expect, inject } from 'vitest';
import {
  type Account,
  type ClientAccount,
  createAdmin,
  createClientAccount,
} from '../../tools/stack/accounts.ts';
import { call, MASTER_KEY } from '../support/api.ts';
import { formsOf } from '../support/key-forms.ts';
import { accessToken, newProject } from '../support/people.ts';
import { newEvmKey, newSolanaKey, type TestKey } from '../support/private-keys.ts';
import type { Project } from '../support/projects.ts';
import { recordText } from '../support/recorder.ts';
import { newClientWithRunner } from '../support/runners.ts';

export const MESSAGE = { type: 'evm.message', message: 'hello' };

export interface Trader extends ClientAccount {
  readonly key: TestKey;
  readonly own: TestKey;
  readonly botId: string;
  readonly machineToken: string;
}

export interface Scene {
  readonly project: Project;
  readonly sql: postgres.Sql;
  readonly admin: Account;
  /** A client that does not change after the backup. */
  readonly anna: Trader;
  readonly boris: Trader;
  readonly dora: Trader;
  readonly emil: Trader;
  readonly keys: TestKey[];
  request(
    account: Account,
    line: string,
    body?: object,
  ): Promise<{ status: number; json: Record<string, string> }>;
}

export const settingsOf = ({ supabaseUrl }: Project, masterKey = MASTER_KEY) => ({
  SUPABASE_URL: supabaseUrl,
  SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
  EDGE_TOKEN: inject('edgeToken'),
  SUPABASE_JWT_SECRET: inject('jwtSecret'),
  ENCRYPTION_KEY: masterKey,
});

export const sqlOf = ({ databaseUrl }: Project) => postgres(databaseUrl, { max: 2, onnotice: () => {} });

/** A connection as the superuser of a project, for statements that the role `postgres` may not run. */
export function superuserOf({ databaseUrl }: Project): postgres.Sql {
  const url = Object.assign(new URL(inject('superuserUrl')), { pathname: new URL(databaseUrl).pathname });
  return postgres(url.href, { max: 1, onnotice: () => {} });
}

/** Hosted projects have this table; the embedded Auth server does not. */
export async function addFactors(project: Project): Promise<void> {
  const superuser = superuserOf(project);
  await superuser`create table if not exists auth.mfa_factors (
    id uuid primary key, user_id uuid not null references auth.users (id), friendly_name text, secret text)`;
  await superuser`grant all on auth.mfa_factors to postgres`;
  await superuser.end();
}

export async function newScene(): Promise<Scene> {
  const project = await newProject();
  const sql = sqlOf(project);
  const env = settingsOf(project);
  const keys: TestKey[] = [];
  const as = (account: Account) => accessToken({ sub: account.id });
  const request: Scene['request'] = async (account, line, body) =>
    call(line, { token: await as(account), env, ...(body && { body }) });

  async function made(line: string, token: string, body?: object) {
    const response = await call(line, { token, env, ...(body && { body }) });
    expect([line, response.status < 300]).toEqual([line, true]);
    return response.json;
  }

  const admin = await createAdmin(sql, 'ada@example.test');
  await addFactors(project);
  await sql`insert into auth.mfa_factors ${sql({ id: crypto.randomUUID(), user_id: admin.id, friendly_name: 'a\tb\\c\n', factor_type: 'totp', status: 'verified', created_at: new Date(), updated_at: new Date(), secret: 'x' })}`;

  /** A client that has rotated its key, with a running bot, a wallet with an own key, a policy and a token. */
  async function newTrader(name: string): Promise<Trader> {
    const account = await createClientAccount(sql, name, `${name}@example.test`);
    const [first, key, own] = [newEvmKey(), newEvmKey(), newEvmKey()];
    keys.push(first, key, own);
    const token = await as(account);
    const { botId, machineToken } = await newClientWithRunner({
      key: first,
      at: { settings: env, newClient: async () => ({ ...account, userId: account.id, token }) },
    });
    await made(`PUT /clients/${account.clientId}/rotate-key`, token, { private_key: key.privateKey });
    await made(`POST /bots/${botId}/wallets`, await as(admin), { private_key: own.privateKey });
    await made(`PUT /bots/${botId}/policy`, token, { kinds: ['evm.message'] });
    await made(`POST /bots/${botId}/sign`, machineToken, { ...MESSAGE, wallet: key.address });
    return { ...account, key, own, botId, machineToken };
  }
  const anna = await newTrader('anna');
  const boris = await newTrader('boris');
  const dora = await newTrader('dora');
  const emil = await newTrader('emil');
  // A client with a key of the other chain family, revoked before the backup.
  const cleo = await createClientAccount(sql, 'cleo', 'cleo@example.test');
  const solana = newSolanaKey();
  keys.push(solana);
  await made(`POST /clients/${cleo.clientId}/setup-bot`, await as(cleo), {
    bot_type: 'solana-dca',
    private_key: solana.privateKey,
  });
  await made(`DELETE /clients/${cleo.clientId}/revoke-key`, await as(cleo));
  await sql`insert into private.imported_rows ${sql({
    source: 'legacy',
    old_table: 'clients',
    old_id: '1',
    new_id: anna.clientId,
    client_id: anna.clientId,
  })}`;
  return { project, sql, admin, anna, boris, dora, emil, keys, request };
}

/** The private keys that a text contains, in any format. Expected to be empty. */
export const keysIn = (text: string, keys: readonly TestKey[]): string[] =>
  keys
    .flatMap(({ privateKey, secret }) => [privateKey, ...formsOf(secret)])
    .filter((form) => text.includes(form));

/** The time of the newest event, in the format of responses. */
export async function newestEvent(sql: postgres.Sql): Promise<string> {
  const [row] = await sql<[{ at: Date }]>`select max(created_at) as at from private.every_key_event`;
  return row.at.toISOString();
}

const DOCUMENT = readFileSync('docs/how-to/back-up-and-restore.md', 'utf8');

/** The commands of docs/how-to/back-up-and-restore.md with this name, as they stand there. */
export function documented(command: string): string {
  const blocks = [...DOCUMENT.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, lines = '']) => lines);
  const lines = blocks
    .join('')
    .split('\n')
    .filter((line) => line.startsWith(`npm run ${command} `));
  expect(lines).not.toEqual([]);
  return lines.join('\n');
}

/** The only SQL of docs/how-to/back-up-and-restore.md that holds `part`. */
export function documentedSql(part: string): string {
  const blocks = [...DOCUMENT.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, lines = '']) => lines.trim());
  const found = blocks.filter((block) => block.includes(part));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}

/** Runs shell lines as the operator, who has exported these settings. */
export function shell(lines: string, env: Record<string, string>) {
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const child = spawn('sh', ['-eu', '-c', lines], {
    env: { PATH: path, HOME: process.env.HOME ?? '/', ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.once('close', (code) => {
      recordText(out + err);
      resolve({ code, out, err });
    });
  });
}
