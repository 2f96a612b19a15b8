/** The health monitor: checks all bots, batch by batch. The database records changes. */
import type { Job } from './job.ts';
import { monitorToken } from './settings.ts';

/** 100,000 bots. The next run continues with the bots that are left. */
const MAX_BATCHES = 20;

export const monitorBots: Job = {
  name: 'monitor',
  async run(runtime, requestId) {
    const token = monitorToken(runtime.settings);
    const database = runtime.database().asMonitor({ token, requestId });
    const done: Record<string, number> = {
      batches: 0,
      complete: 0,
      bots_checked: 0,
      changed: 0,
      pruned_health_logs: 0,
      pruned_reservations: 0,
      pruned_answers: 0,
      database_ms: 0,
    };
    const add = (name: string, count: number) => {
      done[name] = (done[name] ?? 0) + count;
    };
    for (let batches = 1; batches <= MAX_BATCHES; batches++) {
      const { busy, complete, changes, ...counts } = await database.checkBots();
      if (busy) return { ...done, busy: 1 };
      add('batches', 1);
      for (const [name, count] of Object.entries(counts)) add(name, count);
      for (const [state, count] of Object.entries(changes)) {
        add('changed', count);
        add(`changed_to_${state}`, count);
      }
      if (complete) return { ...done, complete: 1 };
    }
    return done;
  },
};
