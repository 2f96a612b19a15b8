/** Failures to sign are counted after the response, and stop a bot whose policy sets a limit. */
import { createExecutionContext } from 'cloudflare:test';
import { afterEach, describe, expect, it, vi } from 'vitest';
import worker from '../../src/index.ts';
import { call, settings } from '../support/api.ts';
import { listenToLog } from '../support/log-lines.ts';
import { operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { type ClientWithRunner, newClientWithRunner, setPolicy, sign } from '../support/runners.ts';

const message = { type: 'evm.message', message: 'hello' };
const transaction = {
  type: 'evm.transaction',
  transaction: { chainId: 1, nonce: 0, gas: 21_000, to: newEvmKey().address, value: 5, maxFeePerGas: 9 },
};
/** A policy that rejects messages and allows transactions. */
const STRICT = { kinds: ['evm.transaction'] };
const OTHER_KEY = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
const otherKey = { env: { ...settings(), ENCRYPTION_KEY: OTHER_KEY } };

const health = async ({ botId, token }: ClientWithRunner) =>
  (await call(`GET /bots/${botId}/health`, { token })).json;
const bot = async ({ botId, token }: ClientWithRunner) => {
  const { json } = await call(`GET /bots/${botId}`, { token });
  return [json.status, json.stop_reason];
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a failure to sign', () => {
  it('is counted, and stops no bot without a limit in its policy', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, STRICT);
    for (let i = 0; i < 3; i++) expectProblem(await sign(own, message), 403, 'policy_kind_denied');
    expectProblem(await sign(own, transaction, otherKey), 503, 'key_decryption_failed');
    expect((await health(own)).signing_failures).toEqual({
      last_hour: 4,
      last_code: 'key_decryption_failed',
      last_at: expect.any(String),
    });
    expect(await bot(own)).toEqual(['running', null]);
    expect((await sign(own, transaction)).status).toBe(200);
  });

  it.each<[string, string, (own: ClientWithRunner) => Promise<unknown>]>([
    ['a malformed body', 'json_malformed', (own) => sign(own, '{')],
    ['a request of no kind', 'validation_failed', (own) => sign(own, { type: 'evm.anything' })],
    [
      'a wallet that is not there',
      'resource_not_found',
      (own) => sign(own, { ...message, wallet: newEvmKey().address }),
    ],
    [
      'a bot of somebody else',
      'resource_not_found',
      async (own) => sign({ ...(await newClientWithRunner()), machineToken: own.machineToken }, message),
    ],
    [
      'a missing master key',
      'master_key_missing',
      (own) => sign(own, message, { env: { ...settings(), ENCRYPTION_KEY: '' } }),
    ],
    [
      'a database that does not respond',
      'database_unavailable',
      (own) => sign(own, message, { env: { ...settings(), SUPABASE_URL: 'http://127.0.0.1:9' } }),
    ],
  ])('is not counted for %s', async (_, code, ask) => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { quarantine_after: 1 });
    const log = listenToLog();
    expect(await ask(own)).toMatchObject({ json: { code } });
    expect(log.lines('signing_failure')).toEqual([]);
    expect((await health(own)).signing_failures.last_hour).toBe(0);
    expect(await bot(own)).toEqual(['running', null]);
  });

  it('is no longer counted after a signature', async () => {
    const own = await newClientWithRunner();
    expect((await sign(own, message)).status).toBe(200);
    expect((await health(own)).signing_failures.last_hour).toBe(0);
  });
});

describe('quarantine', () => {
  it('after the number of failures in the policy, until the owner starts the bot again', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { ...STRICT, quarantine_after: 3 });
    for (let i = 0; i < 2; i++) expectProblem(await sign(own, message), 403, 'policy_kind_denied');
    expect((await sign(own, transaction)).status).toBe(200);
    const log = listenToLog();
    expectProblem(await sign(own, message), 403, 'policy_kind_denied');
    expect(log.lines('signing_failure')).toMatchObject([
      { level: 'error', bot_id: own.botId, code: 'policy_kind_denied', outcome: 'quarantined' },
    ]);
    expect(await bot(own)).toEqual(['stopped', 'quarantined']);
    expectProblem(await sign(own, transaction), 409, 'bot_not_running');
    const page = await health(own);
    expect(page).toMatchObject({
      state: 'quarantined',
      detail: { reason: 'quarantined', code: 'policy_kind_denied', failures: 3 },
    });
    // The monitor of another test may have noticed an earlier state of this bot, and may write it later.
    expect(page.items.find(({ state }: { state: string }) => state === 'quarantined')).toMatchObject({
      since: page.since,
      noticed_at: page.since,
    });
    expect(
      await operatorSql(
        'select actor, detail from private.every_key_event where event = $1 and bot_id = $2',
        ['bot_quarantined', own.botId],
      ),
    ).toEqual([
      { actor: 'runner', detail: { reason: 'policy_kind_denied', failures: 3, token_id: own.tokenId } },
    ]);
    expect((await call(`POST /bots/${own.botId}/start`, { token: own.token })).status).toBe(200);
    expect((await health(own)).signing_failures.last_hour).toBe(0);
    for (let i = 0; i < 2; i++) expectProblem(await sign(own, message), 403, 'policy_kind_denied');
    expect((await sign(own, transaction)).status).toBe(200);
  });

  it('at once if a key does not open', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { quarantine_after: 100 });
    expectProblem(await sign(own, message, otherKey), 503, 'key_decryption_failed');
    expect(await bot(own)).toEqual(['stopped', 'quarantined']);
  });

  it('of one bot does not affect another bot with the same policy', async () => {
    const [own, other] = [await newClientWithRunner(), await newClientWithRunner()];
    for (const each of [own, other]) await setPolicy(each, each.botId, { ...STRICT, quarantine_after: 2 });
    await sign(own, message);
    await sign(other, message);
    expect([await bot(own), await bot(other)]).toEqual([
      ['running', null],
      ['running', null],
    ]);
    await sign(own, message);
    expect([await bot(own), await bot(other)]).toEqual([
      ['stopped', 'quarantined'],
      ['running', null],
    ]);
  });
});

describe('reporting a failure', () => {
  it('that fails, or never ends, does not change the response', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { ...STRICT, quarantine_after: 1 });
    const expected = await sign(own, message, { headers: { 'x-request-id': 'the-same' } });
    await call(`POST /bots/${own.botId}/start`, { token: own.token });
    const through = globalThis.fetch;
    for (const report of [
      async () => Promise.reject(new TypeError('Network connection lost.')),
      async () => new Response('<h1>no</h1>', { status: 502 }),
      () => new Promise<Response>(() => {}),
    ]) {
      const log = listenToLog();
      vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) =>
        String(input).includes('report_signing_failure') ? report() : through(input, init),
      );
      const context = createExecutionContext();
      const response = await worker.fetch(
        new Request(`http://api.example.test/bots/${own.botId}/sign`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${own.machineToken}`,
            'content-type': 'application/json',
            'x-request-id': 'the-same',
          },
          body: JSON.stringify(message),
        }),
        settings(),
        context,
      );
      expect([response.status, await response.text()]).toEqual([expected.status, expected.text]);
      expect(log.lines('request')).toMatchObject([{ code: 'policy_kind_denied', status: 403 }]);
      vi.restoreAllMocks();
    }
    expect(await bot(own)).toEqual(['running', null]);
  });

  it('that fails is logged', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, STRICT);
    const through = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) =>
      String(input).includes('report_signing_failure')
        ? Promise.resolve(new Response('', { status: 502 }))
        : through(input, init),
    );
    const log = listenToLog();
    await sign(own, message);
    expect(log.lines('signing_failure')).toMatchObject([{ level: 'error', outcome: 'not_reported' }]);
  });

  it('also works if the runtime has no execution context', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { ...STRICT, quarantine_after: 1 });
    const response = await worker.fetch(
      new Request(`http://api.example.test/bots/${own.botId}/sign`, {
        method: 'POST',
        headers: { authorization: `Bearer ${own.machineToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(message),
      }),
      settings(),
    );
    expect(response.status).toBe(403);
    await expect.poll(() => bot(own)).toEqual(['stopped', 'quarantined']);
  });
});
