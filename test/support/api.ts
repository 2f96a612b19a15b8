/** The app, called inside the runtime of the test: the same code path as the fetch of a deployed Worker. */
import { createApp } from '../../src/app.ts';
import type { Bindings, RateLimiters } from '../../src/env.ts';
import { TIME_LIMITS } from '../../src/time-limits.ts';
import { Background } from './background.ts';
import { violationsOf } from './contract.ts';
import { NOT_DESCRIBED } from './operations.ts';
import { recordIdempotencyKey, recordKeysOf, recordText } from './recorder.ts';
import { AUDIT_KEY, MASTER_KEY, settings } from './settings.ts';

export { AUDIT_KEY, MASTER_KEY, settings };

export interface Call {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly env?: Bindings & RateLimiters;
  readonly idempotencyKey?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that the response should have
  readonly json: any;
}

/** As deployed, but without the pauses before a retry, which hundreds of tests would wait for. */
const app = createApp({ ...TIME_LIMITS, pauseMs: 1, rejectedPauseMs: 1, nodeMs: 1_000 });

/**
 * `call('POST /clients', { token, body })`. A string body is sent unchanged, anything else as JSON. Every response is
 * checked against the description. Waits for the work that the Worker does after its response.
 */
export async function call(
  line: string,
  { token, body, headers = {}, env = settings(), idempotencyKey }: Call = {},
): Promise<Answer> {
  recordKeysOf(body);
  if (idempotencyKey !== undefined) recordIdempotencyKey(idempotencyKey);
  const [method = 'GET', path = '/'] = line.split(' ');
  const request = new Request(`http://api.example.test${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const background = new Background();
  const response = await app.fetch(request, env, background);
  const text = await response.text();
  await background.done();
  recordText(JSON.stringify([...response.headers]));
  recordText(text);
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  const answer = {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
  const violations = NOT_DESCRIBED.includes(path) ? [] : violationsOf(line, answer);
  if (violations.length > 0)
    throw new Error(`${line} does not respond as described: ${violations.join('; ')}`);
  return answer;
}
