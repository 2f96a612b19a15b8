import type { TimeLimits } from '../time-limits.ts';
import type { Rpc } from './postgrest.ts';

export interface Connection {
  readonly rpc: Rpc;
  readonly limits: TimeLimits;
  /** For functions that return or store envelopes. @throws {Problem} edge_token_missing, edge_token_malformed */
  edgeToken(): string;
}
