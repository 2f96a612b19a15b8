import type { CallerDatabase } from './database/as-caller.ts';
import type { Bindings } from './env.ts';
import type { Runtime } from './runtime.ts';

/** What a request carries through Hono. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    requestId: string;
    runtime: Runtime;
    /** The database as the caller sees it; set once the caller is known. */
    database: CallerDatabase;
  };
}
