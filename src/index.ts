/** The entry point of the Worker. */
import { createApp } from './app.ts';
import type { Bindings } from './env.ts';
import { runScheduled } from './monitor/index.ts';

const app = createApp();

export default {
  fetch: app.fetch,
  scheduled: (_event: unknown, env: Bindings) => runScheduled(env),
};
