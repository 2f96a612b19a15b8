import type { ProblemTexts } from './problem-text.ts';

/** The form of a request: its path, headers, body and rate. */
export const REQUEST_PROBLEMS = {
  idempotency_key_malformed: [
    400,
    'The Idempotency-Key header is malformed',
    'Send one Idempotency-Key header with 1 to 255 visible ASCII characters and no spaces.',
  ],
  json_malformed: [
    400,
    'The request body is not valid JSON',
    'Send one JSON value, encoded in UTF-8 without a byte order mark.',
  ],
  data_not_storable: [
    400,
    'The database cannot store a value of the request',
    'Check the length of texts, the range of numbers and that dates exist. The same request fails again.',
  ],
  route_not_found: [404, 'The API has no such path', 'Check the path. GET /docs lists all routes.'],
  method_not_allowed: [
    405,
    'The path does not support this method',
    'Use a method that the Allow header of this response lists.',
  ],
  body_too_large: [
    413,
    'The request body is too large',
    'A request body has at most 64 KiB, and one that signs an EVM transaction or is sent to POST /bots/{id}/rpc 512 KiB.',
  ],
  media_type_unsupported: [
    415,
    'The Content-Type of the request is not supported',
    'Send "Content-Type: application/json".',
  ],
  idempotency_key_reused: [
    422,
    'The Idempotency-Key was used with another request',
    'Use a new Idempotency-Key for a new request. After a successful request, a key accepts only the same method, path and body, byte for byte, for 24 hours or until 1,000 newer responses of the caller are stored.',
  ],
  validation_failed: [
    422,
    'A field or parameter of the request is not valid',
    'See errors: each entry names a field or parameter and what is wrong with it.',
  ],
  rate_limited: [
    429,
    'Too many requests from this account, machine token or network',
    'Wait for the number of seconds in the Retry-After header.',
  ],
  internal_error: [
    500,
    'The service failed in an unexpected way',
    'Check whether the change was made, or repeat the request with the same Idempotency-Key. If the error persists, send request_id to the operator.',
  ],
} as const satisfies ProblemTexts;
