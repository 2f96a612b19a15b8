/** A project whose operator has not run the migrations yet: a database of its own behind the same real API. */
import postgres from 'postgres';
import type { Stack } from '../../supabase/local/stack.ts';
import { createSupabaseApi } from '../../supabase/local/supabase-api.ts';

const NAME = 'unmigrated';

export interface UnmigratedDatabase {
  readonly supabaseUrl: string;
  close(): Promise<void>;
}

const within = (url: string) => Object.assign(new URL(url), { pathname: `/${NAME}` }).href;

export async function startUnmigratedDatabase(stack: Stack): Promise<UnmigratedDatabase> {
  const cluster = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
  await cluster.unsafe(`create database ${NAME} owner postgres`);
  await cluster.end();
  const superuser = postgres(within(stack.superuserUrl), { max: 1, onnotice: () => {} });
  await superuser
    .unsafe(`
      create schema extensions authorization postgres;
      create schema auth authorization postgres;
      grant usage on schema public, extensions, auth to anon, authenticated, service_role;
      create extension pgcrypto with schema extensions;
      create extension "uuid-ossp" with schema extensions;`)
    .simple();
  await superuser.end();
  const api = createSupabaseApi({
    databaseUrl: within(stack.databaseUrl),
    jwtSecret: stack.jwtSecret,
    publishableKey: stack.publishableKey,
    poolSize: 2,
  });
  await api.prepare();
  const port = await api.listen(0);
  return { supabaseUrl: `http://127.0.0.1:${port}`, close: () => api.close() };
}
