/** The operator's own connection to the database: of a deployment by `DATABASE_URL`, else of the running local stack. */
import { existsSync, readFileSync } from 'node:fs';
import postgres, { type Sql } from 'postgres';

const LOCAL_STACK = '.local/stack.json';

/** @throws {Error} where neither is there */
export function connectAsOperator(): Sql {
  return postgres(databaseUrl(), { max: 4, onnotice: () => {}, prepare: false });
}

function databaseUrl(): string {
  const given = process.env.DATABASE_URL?.trim();
  if (given) return given;
  if (existsSync(LOCAL_STACK)) return JSON.parse(readFileSync(LOCAL_STACK, 'utf8')).database_url;
  throw new Error('Set DATABASE_URL to the connection string of the database, or run "npm run dev" first.');
}
