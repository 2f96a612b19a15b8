/** One embedded stack for the whole run: real PostgreSQL, real row-level security, the Supabase-compatible API. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { logConsoleTo } from '../../supabase/local/console-log.ts';
import { removePostgres } from '../../supabase/local/postgres.ts';
import { startStack } from '../../supabase/local/stack.ts';
import { startOperator } from './operator.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    supabaseUrl: string;
    publishableKey: string;
    jwtSecret: string;
    /** As the role `postgres`: owns the tables, no superuser. */
    databaseUrl: string;
    superuserUrl: string;
    operatorUrl: string;
  }
}

export default async function setup(project: TestProject) {
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-test-'));
  chmodSync(directory, 0o755);
  logConsoleTo(join(directory, 'supabase.log'));
  const stack = await startStack({ directory, supabasePort: 0, durable: false, poolSize: 40 });
  project.provide('supabaseUrl', stack.supabaseUrl);
  project.provide('publishableKey', stack.publishableKey);
  project.provide('jwtSecret', stack.jwtSecret);
  project.provide('databaseUrl', stack.databaseUrl);
  project.provide('superuserUrl', stack.superuserUrl);
  const operator = await startOperator(stack.databaseUrl);
  project.provide('operatorUrl', operator.url);
  return async () => {
    await operator.close();
    await stack.stop();
    removePostgres(join(directory, 'postgres'));
    rmSync(directory, { recursive: true, force: true });
  };
}
