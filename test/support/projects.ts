/** Projects with a database of their own beside the one that all tests share, behind the same real API. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { fillDatabase } from '../../tools/stack/hosted/bootstrap.ts';
import { migrate } from '../../tools/stack/migrate.ts';
import { admitEdgeToken, type Stack } from '../../tools/stack/stack.ts';
import { createSupabaseApi } from '../../tools/stack/supabase-api.ts';

/** The keys and secrets are those of the shared project. */
export interface Project {
  readonly supabaseUrl: string;
  /** As the role `postgres`. */
  readonly databaseUrl: string;
}

export interface RunningProject extends Project {
  close(): Promise<void>;
}

/** A database of its own in the shape of a hosted project, without the tables of Supabase Auth. */
export async function newDatabase(urls: Pick<Stack, 'superuserUrl' | 'databaseUrl'>) {
  const name = `project_${randomUUID().replaceAll('-', '')}`;
  const within = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  const database = { superuserUrl: within(urls.superuserUrl), databaseUrl: within(urls.databaseUrl) };
  const cluster = postgres(urls.superuserUrl, { max: 1, onnotice: () => {} });
  await cluster.unsafe(`create database ${name}`);
  await cluster.end();
  const superuser = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
  await fillDatabase(superuser);
  await superuser.end();
  return database;
}

/** A migrated project without a row, or one whose operator has not run the migrations yet. */
export async function startProject(
  stack: Stack,
  { migrated }: { migrated: boolean },
): Promise<RunningProject> {
  const { databaseUrl } = await newDatabase(stack);
  const api = createSupabaseApi({
    databaseUrl,
    jwtSecret: stack.jwtSecret,
    publishableKey: stack.publishableKey,
    poolSize: migrated ? 8 : 2,
  });
  await api.prepare();
  if (migrated) {
    await migrate(databaseUrl);
    await admitEdgeToken(databaseUrl, stack.edgeToken);
  }
  const port = await api.listen(0);
  return { supabaseUrl: `http://127.0.0.1:${port}`, databaseUrl, close: () => api.close() };
}
