/** Prepares the embedded PostgreSQL, so that it equals a hosted Supabase project before its first migration. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';

const textOf = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8');

/** The roles with which programs sign in. They have the same password, as in a self-hosted Supabase. */
const SIGN_INS = ['postgres', 'authenticator', 'supabase_auth_admin'];

/** Creates the roles. Runs once in a cluster. */
export async function createRoles(superuser: postgres.Sql, password: string): Promise<void> {
  await superuser.unsafe(textOf('roles.sql')).simple();
  // `alter role` takes no parameter. The password is base64url that the stack generated.
  for (const role of SIGN_INS) await superuser.unsafe(`alter role ${role} password '${password}'`);
}

/** Creates the schemas, extensions and functions of Supabase in a new database, as a superuser. */
export async function fillDatabase(superuser: postgres.Sql): Promise<void> {
  const [{ name } = { name: '' }] = await superuser<{ name: string }[]>`
    select quote_ident(current_database()) as name`;
  await superuser.unsafe(`alter database ${name} owner to postgres`);
  await allowAuthSchema(superuser, name);
  await superuser.unsafe(textOf('database.sql')).simple();
}

/** Supabase Auth runs `create schema if not exists auth` when it starts. @param database quoted, if it has to be */
export async function allowAuthSchema(superuser: postgres.Sql, database: string): Promise<void> {
  await superuser.unsafe(`grant create on database ${database} to supabase_auth_admin`);
}

/** Adds the tables of `auth` that lite does not create. Can run any number of times. */
export async function completeAuthTables(databaseUrl: string): Promise<void> {
  const authAdmin = postgres(asRole(databaseUrl, 'supabase_auth_admin'), { max: 1, onnotice: () => {} });
  try {
    await authAdmin.unsafe(textOf('auth-tables.sql')).simple();
  } finally {
    await authAdmin.end();
  }
}

/** Returns the URL of the same database for another role that can sign in. */
export const asRole = (databaseUrl: string, role: string): string =>
  Object.assign(new URL(databaseUrl), { username: role }).href;
