/** Runs the jobs of the cron trigger. Each job has a limit, logs one line, and never throws. */
import type { Bindings } from '../env.ts';
import { log } from '../log.ts';
import { Problem } from '../problem.ts';
import { runtimeFor } from '../runtime.ts';
import { keepAuditChains } from './audit.ts';
import { monitorBots } from './bots.ts';
import type { Job } from './job.ts';
import { rewrap } from './rewrap.ts';

const JOBS: readonly Job[] = [monitorBots, keepAuditChains, rewrap];

export async function runScheduled(env: Bindings): Promise<void> {
  await Promise.all(JOBS.map((job) => runJob(job, env)));
}

async function runJob(job: Job, env: Bindings): Promise<void> {
  const requestId = crypto.randomUUID();
  const startedAt = Date.now();
  try {
    const done = await job.run(runtimeFor(env), requestId);
    if (done) log({ event: job.name, request_id: requestId, duration_ms: Date.now() - startedAt, ...done });
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem('internal_error');
    log({
      event: job.name,
      level: 'error',
      request_id: requestId,
      duration_ms: Date.now() - startedAt,
      code: problem.code,
      remedy: problem.remedy,
    });
  }
}
