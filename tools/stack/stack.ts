/** The embedded Supabase: starts and stops PostgreSQL with the migrations, and the REST and Auth API. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { createRoles, fillDatabase } from './hosted/bootstrap.ts';
import { migrate } from './migrate.ts';
import { freePort } from './ports.ts';
import { SUPERUSER, startPostgres } from './postgres.ts';
import { createSupabaseApi, newPublishableKey, type SupabaseApi } from './supabase-api.ts';

/** Secrets that the first run generates. They are stored beside the data and never committed. */
export interface StackSecrets {
  readonly superuserPassword: string;
  /** The password of all roles that sign in, except the superuser. */
  readonly postgresPassword: string;
  readonly jwtSecret: string;
  readonly publishableKey: string;
  readonly edgeToken: string;
}

export interface StackOptions {
  /** The directory for data and secrets. */
  readonly directory: string;
  /** 0 means a free port. */
  readonly supabasePort: number;
  readonly durable: boolean;
  readonly poolSize?: number;
  readonly print?: (line: string) => void;
}

export interface Stack {
  readonly supabaseUrl: string;
  /** For the role `postgres`, which owns the tables and is not a superuser. */
  readonly databaseUrl: string;
  readonly superuserUrl: string;
  readonly jwtSecret: string;
  readonly publishableKey: string;
  /** Machine token of the scope `edge`, for the Worker. */
  readonly edgeToken: string;
  readonly api: SupabaseApi;
  /** The names of the migrations that were applied at this start. */
  readonly migrated: readonly string[];
  stop(): Promise<void>;
}

async function secretsIn(directory: string): Promise<StackSecrets> {
  const path = join(directory, 'secrets.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'));
  const secrets: StackSecrets = {
    superuserPassword: randomBytes(24).toString('base64url'),
    postgresPassword: randomBytes(24).toString('base64url'),
    jwtSecret: randomBytes(48).toString('base64url'),
    publishableKey: await newPublishableKey(),
    edgeToken: newMachineToken(),
  };
  writeFileSync(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  mkdirSync(options.directory, { recursive: true });
  const secrets = await secretsIn(options.directory);
  const postgres = await startPostgres({
    directory: join(options.directory, 'postgres'),
    port: await freePort(),
    superuserPassword: secrets.superuserPassword,
    durable: options.durable,
    print: options.print ?? (() => {}),
    async bootstrap(superuser) {
      await createRoles(superuser, secrets.postgresPassword);
      await fillDatabase(superuser);
    },
  });
  const databaseUrl = postgres.url('postgres', secrets.postgresPassword);
  const api = createSupabaseApi({
    databaseUrl,
    jwtSecret: secrets.jwtSecret,
    publishableKey: secrets.publishableKey,
    poolSize: options.poolSize ?? 10,
  });
  const stop = async () => {
    await api.close();
    postgres.stop();
  };
  try {
    await api.prepare();
    const migrated = await migrate(databaseUrl);
    await admitEdgeToken(databaseUrl, secrets.edgeToken);
    const port = await api.listen(options.supabasePort);
    return {
      supabaseUrl: `http://127.0.0.1:${port}`,
      databaseUrl,
      superuserUrl: postgres.url(SUPERUSER, secrets.superuserPassword),
      jwtSecret: secrets.jwtSecret,
      publishableKey: secrets.publishableKey,
      edgeToken: secrets.edgeToken,
      api,
      migrated,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Stores the hash of this edge token, like `npm run operator:token -- --scope edge` for a new token. */
export async function admitEdgeToken(databaseUrl: string, token: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`insert into public.machine_tokens (scope, name, token_hash)
      values ('edge', 'The local edge', decode(${hashOfMachineToken(token)}, 'hex'))
      on conflict on constraint "a machine token is found by its hash" do nothing`;
  } finally {
    await sql.end();
  }
}
