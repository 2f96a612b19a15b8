import type { MatchedRoute } from './auth/access.ts';
import type { CallerDatabase } from './database/as-caller.ts';
import type { RunnerDatabase } from './database/as-runner.ts';
import type { CallStats } from './database/call-stats.ts';
import type { Bindings, RateLimiters } from './env.ts';
import type { ProblemCode } from './problem.ts';
import type { Runtime } from './runtime.ts';

/** The bindings of the Worker, and the variables that middleware sets for a request. */
export interface AppEnv {
  Bindings: Bindings & RateLimiters;
  Variables: {
    requestId: string;
    callStats: CallStats;
    /** Set if the response is a problem. */
    problemCode?: ProblemCode;
    runtime: Runtime;
    /** The item of `RateLimit-Policy` under which the request was counted. */
    rateLimitPolicy?: string;
    /** Undefined if no route has the path and method of the request. */
    route?: MatchedRoute;
    /** Set on routes of sessions, after the session was verified. */
    database: CallerDatabase;
    /** Set on routes of runners. */
    runnerDatabase: RunnerDatabase;
    /** Set on routes of runners: counts one more request. @throws {Problem} rate_limited */
    countAnother: () => Promise<void>;
  };
}
