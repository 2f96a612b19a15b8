/** One embedded stack for the whole run: real PostgreSQL, real row-level security, the Supabase-compatible API. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { logConsoleTo } from '../../tools/stack/console-log.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';
import { startStack } from '../../tools/stack/stack.ts';
import { startHostedProjects } from './hosted-project.ts';
import { startOperator } from './operator.ts';
import { startProject } from './projects.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    supabaseUrl: string;
    publishableKey: string;
    jwtSecret: string;
    /** Machine token of the scope `edge`. */
    edgeToken: string;
    /** Connects as the role `postgres`, which owns the tables and is not a superuser. */
    databaseUrl: string;
    superuserUrl: string;
    operatorUrl: string;
    /** The directory with the data and logs of the stack. */
    stackDirectory: string;
    /** Projects that behave like hosted ones, each under a path: see hosted-project.ts. */
    hostedUrl: string;
    /** A project without our migrations. */
    unmigratedUrl: string;
    /** For the scan for leaks: whether the tests of this run record the Idempotency-Keys that they send. */
    hasIdempotencyKeys: boolean;
  }
}

/** Removes the pause between rounds, because tests run one round of the monitor directly after another. */
async function letTheMonitorRunAtOnce(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await sql`update private.monitor_settings set round_pause = '0' where only_row`;
  await sql.end();
}

export default async function setup(project: TestProject) {
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-test-'));
  chmodSync(directory, 0o755);
  logConsoleTo(join(directory, 'supabase.log'));
  const stack = await startStack({ directory, supabasePort: 0, durable: false, poolSize: 40 });
  project.provide('supabaseUrl', stack.supabaseUrl);
  project.provide('publishableKey', stack.publishableKey);
  project.provide('jwtSecret', stack.jwtSecret);
  project.provide('edgeToken', stack.edgeToken);
  project.provide('databaseUrl', stack.databaseUrl);
  project.provide('superuserUrl', stack.superuserUrl);
  project.provide('stackDirectory', directory);
  await letTheMonitorRunAtOnce(stack.databaseUrl);
  const operator = await startOperator(stack);
  project.provide('operatorUrl', operator.url);
  const hosted = await startHostedProjects(stack);
  project.provide('hostedUrl', hosted.url);
  const unmigrated = await startProject(stack, { migrated: false });
  project.provide('unmigratedUrl', unmigrated.supabaseUrl);
  return async () => {
    await unmigrated.close();
    await hosted.close();
    await operator.close();
    await stack.stop();
    removePostgres(join(directory, 'postgres'));
    rmSync(directory, { recursive: true, force: true });
  };
}
