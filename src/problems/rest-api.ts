import type { ProblemTexts } from './problem-text.ts';

/** Only statements directly at the REST API of the database, or SQL of the operator, get these. This API never returns them. */
export const REST_API_PROBLEMS = {
  envelope_write_denied: [
    403,
    'Only the edge may store envelopes',
    'Send the private key to the trading-keys API, which encrypts it. A session cannot write an envelope at the REST API of the database.',
  ],
  envelope_row_mismatch: [
    422,
    'The envelope belongs to another client, address, chain or key id than its row',
    'Operator: do not copy an envelope to another row. A session gets envelope_write_denied instead.',
  ],
  row_limit_exceeded: [
    422,
    'The statement writes too many rows',
    'A statement at the REST API of the database writes at most 100 rows. Split it.',
  ],
} as const satisfies ProblemTexts;
