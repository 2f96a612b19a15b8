import type { MatchedRoute } from './auth/access.ts';
import type { CallerDatabase } from './database/as-caller.ts';
import type { RunnerDatabase } from './database/as-runner.ts';
import type { Tally } from './database/tally.ts';
import type { Bindings, RateLimiters } from './env.ts';
import type { ProblemCode } from './problem.ts';
import type { Runtime } from './runtime.ts';

/** What a request carries through Hono. */
export interface AppEnv {
  Bindings: Bindings & RateLimiters;
  Variables: {
    requestId: string;
    /** What the request had of the database, for its log line. */
    tally: Tally;
    /** Set where the answer is a problem. */
    problemCode?: ProblemCode;
    runtime: Runtime;
    /** The rate limit that the call was counted under. */
    rateLimitPolicy?: string;
    /** Undefined if no route has the path and method of the request. */
    route?: MatchedRoute;
    /** The database as the caller sees it; set once the session is verified, for routes of sessions alone. */
    database: CallerDatabase;
    /** The database as a machine token sees it, for routes of runners alone. */
    runnerDatabase: RunnerDatabase;
  };
}
