/** The body is not read if the caller has no access or exceeds the rate limit. */
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { Bindings, RateLimiters } from '../../src/env.ts';
import { newMachineToken } from '../../src/machine-token.ts';
import { settings } from '../support/api.ts';
import { operations, tokenFor } from '../support/operations.ts';
import { accessToken, newAdmin } from '../support/people.ts';
import { lineTo } from '../support/requests.ts';

const app = createApp();
const admin = await newAdmin();
const TAKE_A_BODY = operations.filter(({ takesBody }) => takesBody).map(({ line }) => line);
const always = (success: boolean) => ({ limit: async () => ({ success }) });

/** Sends an empty body that records whether it was read. */
async function ask(line: string, token: string | undefined, env: Bindings & RateLimiters) {
  const [method = '', path = ''] = lineTo(line).split(' ');
  let wanted = false;
  const body = new ReadableStream(
    {
      pull(controller) {
        wanted = true;
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const request = new Request(`http://api.example.test${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body,
  });
  const response = await app.fetch(request, env);
  const { code } = (await response.json()) as { code: string };
  return { wanted, code };
}

describe.each(TAKE_A_BODY)('%s', (line) => {
  it(`${line} by a permitted caller -> reads the body`, async () => {
    expect(await ask(line, tokenFor(line, admin.token), settings())).toMatchObject({ wanted: true });
  });

  it(`${line} above the rate limit -> 429 without reading the body`, async () => {
    const [no, yes] = [always(false), always(true)];
    const caller = { READ_LIMIT: no, CHANGE_LIMIT: no, SIGN_LIMIT: no, GUESS_LIMIT: yes };
    const asked = await ask(line, tokenFor(line, admin.token), { ...settings(), ...caller });
    expect(asked).toEqual({ wanted: false, code: 'rate_limited' });
  });

  it(`${line} after too many guesses -> 429 without reading the body`, async () => {
    const env = { ...settings(), GUESS_LIMIT: always(false) };
    for (const token of ['a.b.c', newMachineToken()]) {
      const asked = await ask(line, token, env);
      expect(asked).toEqual({ wanted: false, code: 'rate_limited' });
    }
  });

  it(`${line} without a token, or with one of the other kind -> 401 without reading the body`, async () => {
    expect(await ask(line, undefined, settings())).toEqual({
      wanted: false,
      code: 'authentication_required',
    });
    const isRunners = line.endsWith('/sign') || line.endsWith('/rpc') || line.endsWith('/heartbeat');
    const [token, code] = isRunners
      ? (['a.b.c', 'machine_token_required'] as const)
      : ([newMachineToken(), 'session_required'] as const);
    expect(await ask(line, token, settings())).toEqual({ wanted: false, code });
  });
});

it('one factor where two are required -> 403 without reading the body', async () => {
  const token = await accessToken({ sub: admin.userId, aal: 'aal1' });
  expect(await ask('POST /bots/create', token, { ...settings(), REQUIRE_AAL2: 'true' })).toEqual({
    wanted: false,
    code: 'second_factor_required',
  });
});

it('a counter that fails limits no caller', async () => {
  const failing = { limit: () => Promise.reject(new Error('x')) };
  const env = { ...settings(), READ_LIMIT: failing, GUESS_LIMIT: failing };
  const ask = (token: string) =>
    app.fetch(
      new Request('http://api.example.test/clients', { headers: { authorization: `Bearer ${token}` } }),
      env,
    );
  expect((await ask(admin.token)).status).toBe(200);
  expect((await ask('a.b.c')).status).toBe(401);
});
