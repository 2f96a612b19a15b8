import type { Runtime } from '../runtime.ts';

export interface Job {
  readonly name: string;
  /** What was done, as numbers for the log; `undefined` where the settings ask for nothing. @throws {Problem} */
  run(runtime: Runtime, requestId: string): Promise<Readonly<Record<string, number>> | undefined>;
}
