/** Runs the cron as the platform does: through the Worker's own entry, with its settings. */
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from 'cloudflare:test';
import type { Bindings } from '../../src/env.ts';
import worker from '../../src/index.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { settings } from './api.ts';
import { type LogLine, listenToLog } from './log-lines.ts';
import { operatorSql } from './people.ts';

/** A machine token of a scope that only the operator issues. */
export async function newCronToken(scope: string, masterKeyId: string | null = null): Promise<string> {
  const token = newMachineToken();
  await operatorSql(
    `insert into public.machine_tokens (name, scope, token_hash, master_key_id, expires_at)
     values ('A token', $1, decode($2, 'hex'), $3, now() + interval '1 day')`,
    [scope, hashOfMachineToken(token), masterKeyId],
  );
  return token;
}

export const monitorSettings = async (): Promise<Bindings> => ({
  ...settings(),
  MONITOR_TOKEN: await newCronToken('monitor'),
});

/** One run, and the log line of the monitor. */
export async function runCron(env: Bindings): Promise<LogLine[]> {
  const log = listenToLog();
  const context = createExecutionContext();
  await worker.scheduled(createScheduledController(), env);
  await waitOnExecutionContext(context);
  return log.lines('monitor');
}

/** Repeats the run until no run of another test is in its way. */
export async function runMonitor(env: Bindings): Promise<LogLine> {
  for (;;) {
    const [line] = (await runCron(env)).slice(-1);
    if (line && !line.busy) return line;
  }
}
