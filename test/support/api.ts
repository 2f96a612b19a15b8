/** The app, called inside the runtime of the test: the same code path as a deployed Worker's fetch. */
import { inject } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { Bindings, RateLimiters } from '../../src/env.ts';
import { violationsOf } from './contract.ts';
import { recordKeysOf, recordText } from './recorder.ts';

/** A master key for tests alone: 32 random bytes of this run. */
export const MASTER_KEY = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));

export const settings = () =>
  ({
    SUPABASE_URL: inject('supabaseUrl'),
    SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
    SUPABASE_JWT_SECRET: inject('jwtSecret'),
    ENCRYPTION_KEY: MASTER_KEY,
  }) satisfies Bindings;

export interface Call {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly env?: Bindings & RateLimiters;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what the answer should hold
  readonly json: any;
}

const app = createApp();

/**
 * `call('POST /clients', { token, body })`. A string body is sent as it is, anything else as JSON. Every answer is
 * checked to be what the description says of it.
 */
export async function call(
  line: string,
  { token, body, headers = {}, env = settings() }: Call = {},
): Promise<Answer> {
  recordKeysOf(body);
  const [method = 'GET', path = '/'] = line.split(' ');
  const request = new Request(`http://api.example.test${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const response = await app.fetch(request, env);
  const text = await response.text();
  recordText(JSON.stringify([...response.headers]));
  recordText(text);
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  const answer = {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
  const violations = path === '/openapi.json' ? [] : violationsOf(line, answer);
  if (violations.length > 0)
    throw new Error(`${line} does not answer as described: ${violations.join('; ')}`);
  return answer;
}
