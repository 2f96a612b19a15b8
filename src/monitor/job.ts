import type { Runtime } from '../runtime.ts';

export interface Job {
  readonly name: string;
  /** Returns counts for the log. Returns `undefined` if the settings do not require this job. @throws {Problem} */
  run(runtime: Runtime, requestId: string): Promise<Readonly<Record<string, number>> | undefined>;
}
