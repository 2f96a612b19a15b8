/** Projects with a database of their own, beside the shared one, behind the same real API. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { allowAuthSchema, fillDatabase } from '../../tools/stack/hosted/bootstrap.ts';
import { migrate } from '../../tools/stack/migrate.ts';
import { admitEdgeToken, type Stack } from '../../tools/stack/stack.ts';
import { createSupabaseApi } from '../../tools/stack/supabase-api.ts';

/** The keys and secrets are those of the shared project. */
export interface Project {
  readonly supabaseUrl: string;
  /** Connects as the role `postgres`. */
  readonly databaseUrl: string;
}

export interface RunningProject extends Project {
  close(): Promise<void>;
}

type Cluster = Pick<Stack, 'superuserUrl' | 'databaseUrl'>;
type Names = Cluster & { readonly name: string };

function newNames(cluster: Cluster): Names {
  const name = `project_${randomUUID().replaceAll('-', '')}`;
  const within = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  return { name, superuserUrl: within(cluster.superuserUrl), databaseUrl: within(cluster.databaseUrl) };
}

async function asSuperuser(url: string, act: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await act(sql).finally(() => sql.end());
}

/** A database with the roles and schemas of a hosted project, without the tables of Supabase Auth. */
export async function newDatabase(cluster: Cluster): Promise<Names> {
  const names = newNames(cluster);
  await asSuperuser(cluster.superuserUrl, (sql) => sql.unsafe(`create database ${names.name}`));
  await asSuperuser(names.superuserUrl, fillDatabase);
  return names;
}

const templates = new Map<string, Promise<string>>();

/** A migrated database without rows. Each is a copy of the first one, because migrating takes seconds. */
async function newMigratedDatabase(stack: Stack): Promise<Names> {
  const made = templates.get(stack.databaseUrl) ?? makeTemplate(stack);
  templates.set(stack.databaseUrl, made);
  const template = await made;
  const names = newNames(stack);
  await asSuperuser(stack.superuserUrl, async (sql) => {
    await sql.unsafe(`create database ${names.name} template ${template} owner postgres`);
    await allowAuthSchema(sql, names.name);
  });
  return names;
}

async function makeTemplate(stack: Stack): Promise<string> {
  const { name, databaseUrl } = await newDatabase(stack);
  const api = apiOf(stack, databaseUrl, 2);
  await api.prepare();
  await migrate(databaseUrl);
  await admitEdgeToken(databaseUrl, stack.edgeToken);
  // PostgreSQL copies a template only while nothing is connected to it.
  await api.close();
  return name;
}

const apiOf = ({ jwtSecret, publishableKey }: Stack, databaseUrl: string, poolSize: number) =>
  createSupabaseApi({ databaseUrl, jwtSecret, publishableKey, poolSize });

/** A migrated project without rows, or a project whose operator has not run the migrations yet. */
export async function startProject(
  stack: Stack,
  { migrated }: { migrated: boolean },
): Promise<RunningProject> {
  const { databaseUrl } = migrated ? await newMigratedDatabase(stack) : await newDatabase(stack);
  const api = apiOf(stack, databaseUrl, migrated ? 8 : 2);
  // A copy has the tables of Supabase Auth already.
  if (!migrated) await api.prepare();
  const port = await api.listen(0);
  return { supabaseUrl: `http://127.0.0.1:${port}`, databaseUrl, close: () => api.close() };
}
