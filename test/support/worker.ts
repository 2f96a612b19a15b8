/** The bundled Worker behind a real URL, in the real runtime, with real sessions of the Auth server. */
import { inject } from 'vitest';
import { createTestHarness, type TestHarness } from 'wrangler';
import * as session from '../../tools/stack/session.ts';
import { recordKeysOf, recordText } from './recorder.ts';
import { workerConfiguration } from './worker-configuration.ts';

export interface RunningWorker {
  readonly url: URL;
  readonly harness: TestHarness;
}

// Without rate limits: these tests send many requests from one address.
const configuration = workerConfiguration();
process.once('exit', configuration.remove);

export async function startWorker(secrets: Record<string, string>): Promise<RunningWorker> {
  const harness = createTestHarness({
    workers: [{ configPath: configuration.path, secrets }],
  });
  const { url } = await harness.listen();
  return { url, harness };
}

/** Signs in with e-mail and password. Returns the access token. */
export async function signIn(account: { email: string; password: string }): Promise<string> {
  const project = { supabaseUrl: inject('supabaseUrl'), publishableKey: inject('publishableKey') };
  return (await session.signIn(project, account)).token;
}

/** Sends a request over the network. Its response is recorded for the leak scan. */
export async function request(base: URL, line: string, token?: string, body?: object) {
  recordKeysOf(body);
  const [method = 'GET', path = '/'] = line.split(' ');
  const response = await fetch(new URL(path, base), {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  recordText(JSON.stringify([...response.headers]));
  recordText(text);
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that the response should have
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) as any };
}
