import type { TimeLimits } from '../time-limits.ts';
import type { Rpc } from './postgrest.ts';

export interface Connection {
  readonly rpc: Rpc;
  readonly limits: TimeLimits;
  /** Functions that return or store envelopes require it. @throws {Problem} edge_token_missing, edge_token_malformed */
  edgeToken(): string;
}
