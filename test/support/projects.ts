/** Projects with a database of their own beside the one that all tests share, behind the same real API. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { migrate } from '../../supabase/local/migrate.ts';
import { admitEdgeToken, type Stack } from '../../supabase/local/stack.ts';
import { createSupabaseApi } from '../../supabase/local/supabase-api.ts';

/** The keys and secrets are those of the shared project. */
export interface Project {
  readonly supabaseUrl: string;
  /** As the role `postgres`. */
  readonly databaseUrl: string;
}

export interface RunningProject extends Project {
  close(): Promise<void>;
}

/** A migrated project without a row, or one whose operator has not run the migrations yet. */
export async function startProject(
  stack: Stack,
  { migrated }: { migrated: boolean },
): Promise<RunningProject> {
  const name = `project_${randomUUID().replaceAll('-', '')}`;
  const within = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  const cluster = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
  await cluster.unsafe(`create database ${name} owner postgres`);
  await cluster.unsafe(`alter database ${name} set search_path to "$user", public, extensions`);
  await cluster.end();
  const superuser = postgres(within(stack.superuserUrl), { max: 1, onnotice: () => {} });
  await superuser
    .unsafe(`
      create schema extensions authorization postgres;
      create schema auth authorization postgres;
      grant usage on schema public, extensions, auth to anon, authenticated, service_role;
      create extension pgcrypto with schema extensions;
      create extension "uuid-ossp" with schema extensions;
      alter schema public owner to postgres;`)
    .simple();
  await superuser.end();
  const databaseUrl = within(stack.databaseUrl);
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
