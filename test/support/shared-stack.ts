/**
 * The stack that all tests of a run share, in a process of its own: real PostgreSQL, real row-level security, the
 * Supabase-compatible API, and the services of the tests. In the process of Vitest they would wait for each other.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { logConsoleTo } from '../../tools/stack/console-log.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';
import { startStack } from '../../tools/stack/stack.ts';
import { startHostedProjects } from './hosted-project.ts';
import { startOperator } from './operator.ts';
import { ignoreSignals, stopWithParent } from './parent.ts';
import { startProject } from './projects.ts';

export interface SharedStack {
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
}

/** Removes the pause between rounds, because tests run one round of the monitor directly after another. */
async function letTheMonitorRunAtOnce(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await sql`update private.monitor_settings set round_pause = '0' where only_row`;
  await sql.end();
}

ignoreSignals();
const [stackDirectory = ''] = process.argv.slice(2);
logConsoleTo(join(stackDirectory, 'supabase.log'));
const stack = await startStack({ directory: stackDirectory, supabasePort: 0, durable: false, poolSize: 40 });
await letTheMonitorRunAtOnce(stack.databaseUrl);
const operator = await startOperator(stack);
const hosted = await startHostedProjects(stack);
const unmigrated = await startProject(stack, { migrated: false });

async function stop(): Promise<void> {
  await unmigrated.close();
  await hosted.close();
  await operator.close();
  await stack.stop();
  removePostgres(join(stackDirectory, 'postgres'));
  rmSync(stackDirectory, { recursive: true, force: true });
}

stopWithParent(stop);
const { supabaseUrl, publishableKey, jwtSecret, edgeToken, databaseUrl, superuserUrl } = stack;
process.send?.({
  supabaseUrl,
  publishableKey,
  jwtSecret,
  edgeToken,
  databaseUrl,
  superuserUrl,
  operatorUrl: operator.url,
  stackDirectory,
  hostedUrl: hosted.url,
  unmigratedUrl: unmigrated.supabaseUrl,
} satisfies SharedStack);
