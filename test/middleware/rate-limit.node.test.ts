/** The real counters of the real runtime, with small limits, and the production limits in wrangler.toml. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestHarness, unstable_readConfig } from 'wrangler';
import { newMachineToken } from '../../src/machine-token.ts';
import { type Answer, MASTER_KEY } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import { type HostedProject, newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';
import { accessToken, inSeconds, newClient, operatorSql } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner, newMachineTokenFor } from '../support/runners.ts';
import { workerConfiguration } from '../support/worker-configuration.ts';

const LIMITS = { READ_LIMIT: 5, CHANGE_LIMIT: 3, SIGN_LIMIT: 4, GUESS_LIMIT: 3 } as const;
const key = await newSigningKey('ES256');
const configuration = workerConfiguration({ limits: LIMITS });
let project: HostedProject;
let harness: ReturnType<typeof createTestHarness>;
let url: URL;

beforeAll(async () => {
  // A database API that counts its calls.
  project = await newHostedProject([key]);
  harness = createTestHarness({
    workers: [
      {
        configPath: configuration.path,
        secrets: {
          SUPABASE_URL: project.settings.SUPABASE_URL ?? '',
          SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
          EDGE_TOKEN: inject('edgeToken'),
          SUPABASE_JWT_SECRET: inject('jwtSecret'),
          ENCRYPTION_KEY: MASTER_KEY,
        },
      },
    ],
  });
  ({ url } = await harness.listen());
});
afterAll(async () => {
  await harness.close();
  configuration.remove();
});

/** An address of its own for each test, so that counters by address are not shared between tests. */
let addresses = 0;
const newAddress = () => `2001:db8:${(++addresses).toString(16)}:1::`;

async function ask(
  line: string,
  token: string | undefined,
  address: string,
  body?: unknown,
): Promise<Answer> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      // The local runtime accepts this header from the caller; Cloudflare sets it itself.
      'cf-connecting-ip': `${address}1`,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, json: isJson && JSON.parse(text) };
}

/** Sends requests until one is limited. Returns how many passed: at most two limits, because a minute may end meanwhile. */
async function untilLimited(limit: number, once: (n: number) => Promise<Answer>) {
  for (let n = 0; n <= 2 * limit; n++) {
    const answer = await once(n);
    if (answer.status === 429) return { through: n, answer };
  }
  throw new Error(`never limited in ${2 * limit + 1} calls`);
}

describe('reads', () => {
  it('are counted by account: other accounts are not limited, nor other operations of the account', async () => {
    const [one, other, address] = [await newClientWithBot(), await newClient(), newAddress()];
    const { through, answer } = await untilLimited(LIMITS.READ_LIMIT, () =>
      ask('GET /clients/me', one.token, address),
    );
    expect(through).toBeGreaterThanOrEqual(LIMITS.READ_LIMIT);
    expectProblem(answer, 429, 'rate_limited');
    expect(answer.headers.get('retry-after')).toBe('60');
    expect(answer.headers.get('ratelimit')).toBe('"reads";r=0;t=60');
    expect(answer.headers.get('ratelimit-policy')).toBe('"reads";q=1200;w=60');

    const good = await ask('GET /clients/me', other.token, address);
    expect([good.status, good.headers.get('ratelimit-policy')]).toEqual([200, '"reads";q=1200;w=60']);
    expect((await ask(`POST /bots/${one.botId}/start`, one.token, address)).status).toBe(200);
  });

  it('do not reach the database above the limit', async () => {
    const [one, address] = [await newClient(), newAddress()];
    await untilLimited(LIMITS.READ_LIMIT, async () => {
      const before = (await project.counts()).restCalls;
      const answer = await ask('GET /clients/me', one.token, address);
      expect((await project.counts()).restCalls - before).toBe(answer.status === 429 ? 0 : 1);
      return answer;
    });
  });
});

describe('routes for anyone', () => {
  it.each(['GET /ready', 'GET /.well-known/jwks.json', 'GET /openapi.json', 'GET /docs'])(
    '%s is counted by network, and does not reach the database above the limit',
    async (line) => {
      const [address, other] = [newAddress(), newAddress()];
      const { through, answer } = await untilLimited(LIMITS.READ_LIMIT, async (n) => {
        const before = (await project.counts()).restCalls;
        const asked = await ask(line, undefined, `${address}${n}:`);
        if (asked.status === 429) expect((await project.counts()).restCalls).toBe(before);
        return asked;
      });
      expect(through).toBeGreaterThanOrEqual(LIMITS.READ_LIMIT);
      expectProblem(answer, 429, 'rate_limited');
      expect((await ask(line, undefined, other)).status).not.toBe(429);
    },
  );

  it('GET /health is not counted, because it only reports that the Worker runs', async () => {
    const address = newAddress();
    for (let n = 0; n < 3 * LIMITS.READ_LIMIT; n++)
      expect((await ask('GET /health', undefined, address)).status).toBe(200);
  });
});

describe('changes', () => {
  it('used up -> stopping and revoking still work', async () => {
    const [one, address] = [await newClientWithRunner(), newAddress()];
    const { answer } = await untilLimited(LIMITS.CHANGE_LIMIT, () =>
      ask(`POST /bots/${one.botId}/start`, one.token, address),
    );
    expectProblem(answer, 429, 'rate_limited');
    for (let n = 0; n < 3 * LIMITS.CHANGE_LIMIT; n++)
      expect((await ask(`POST /bots/${one.botId}/stop`, one.token, address)).status).toBe(200);
    expect((await ask(`DELETE /tokens/${one.tokenId}`, one.token, address)).status).toBe(200);
    expect((await ask(`DELETE /clients/${one.clientId}/revoke-key`, one.token, address)).status).toBe(200);
  });

  it('of a stranger for a victim’s bot -> count for the stranger', async () => {
    const [victim, stranger, address] = [await newClientWithBot(), await newClient(), newAddress()];
    await untilLimited(LIMITS.CHANGE_LIMIT, () =>
      ask(`POST /bots/${victim.botId}/start`, stranger.token, address),
    );
    expect((await ask(`POST /bots/${victim.botId}/start`, victim.token, address)).status).toBe(200);
  });

  it('with a forged session of the victim -> do not count for the victim', async () => {
    const victim = await newClientWithBot();
    const forged = await accessToken({ sub: victim.userId }, 'another-secret-of-a-sufficient-length');
    for (let n = 0; n < 3 * LIMITS.CHANGE_LIMIT; n++) {
      const answer = await ask(`POST /bots/${victim.botId}/start`, forged, newAddress());
      expectProblem(answer, 401, 'token_invalid');
    }
    expect((await ask(`POST /bots/${victim.botId}/start`, victim.token, newAddress())).status).toBe(200);
  });
});

describe('signing', () => {
  it('is counted by machine token, apart from its heartbeats', async () => {
    const [one, address] = [await newClientWithRunner(), newAddress()];
    const { machineToken: second } = await newMachineTokenFor(one, one.botId);
    const message = { type: 'evm.message', message: 'x' };
    const { through, answer } = await untilLimited(LIMITS.SIGN_LIMIT, () =>
      ask(`POST /bots/${one.botId}/sign`, one.machineToken, address, message),
    );
    expect(through).toBeGreaterThanOrEqual(LIMITS.SIGN_LIMIT);
    expectProblem(answer, 429, 'rate_limited');
    expect(answer.headers.get('ratelimit-policy')).toBe('"signing";q=300;w=10');
    expect(answer.text + JSON.stringify([...answer.headers])).not.toContain(one.machineToken);
    expect((await ask(`POST /bots/${one.botId}/sign`, second, address, message)).status).toBe(200);
    expect((await ask('GET /runner/bots', one.machineToken, address)).status).toBe(200);
  });
});

describe('a batch of JSON-RPC', () => {
  const batch = (address: string, count: number) =>
    Array.from({ length: count }, (_, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'personal_sign',
      params: ['0x01', address],
    }));

  it('counts each of its items as a signature, and nothing is done if one is over the limit', async () => {
    const [one, address] = [await newClientWithRunner(), newAddress()];
    const line = `POST /bots/${one.botId}/rpc`;
    // A minute may end meanwhile, so more than two limits are needed to be sure.
    const answer = await ask(
      line,
      one.machineToken,
      address,
      batch(one.key.address, 2 * LIMITS.SIGN_LIMIT + 1),
    );
    expectProblem(answer, 429, 'rate_limited');
    const [row] = await operatorSql<{ count: number }>(
      `select count(*)::int as count from private.every_key_event where bot_id = $1 and event = 'key_released'`,
      [one.botId],
    );
    expect(row).toEqual({ count: 0 });
  });

  it('of few items is carried out', async () => {
    const [one, address] = [await newClientWithRunner(), newAddress()];
    const answer = await ask(
      `POST /bots/${one.botId}/rpc`,
      one.machineToken,
      address,
      batch(one.key.address, 2),
    );
    expect(answer.json).toEqual([
      { jsonrpc: '2.0', id: 0, result: expect.stringMatching(/^0x[0-9a-f]{130}$/) },
      { jsonrpc: '2.0', id: 1, result: expect.stringMatching(/^0x[0-9a-f]{130}$/) },
    ]);
  });
});

describe('guesses', () => {
  it('of machine tokens above the limit do not reach the database, for that network and no other', async () => {
    const address = newAddress();
    const path = `POST /bots/${crypto.randomUUID()}/sign`;
    const { through, answer } = await untilLimited(LIMITS.GUESS_LIMIT, async (n) => {
      const before = (await project.counts()).restCalls;
      const guess = await ask(path, newMachineToken(), `${address}${n}:`, {
        type: 'evm.message',
        message: 'x',
      });
      expect((await project.counts()).restCalls - before).toBe(guess.status === 429 ? 0 : 1);
      return guess;
    });
    expect(through).toBeGreaterThanOrEqual(LIMITS.GUESS_LIMIT);
    expectProblem(answer, 429, 'rate_limited');
    expect(answer.headers.get('ratelimit')).toBe('"guesses";r=0;t=60');
    const elsewhere = await ask(path, newMachineToken(), newAddress(), { type: 'evm.message', message: 'x' });
    expectProblem(elsewhere, 401, 'token_invalid');
  });

  it('of sessions are counted too; a valid session from that network, and a token in use, are not limited', async () => {
    const [one, address] = [await newClientWithRunner(), newAddress()];
    expect((await ask('GET /runner/bots', one.machineToken, address)).status).toBe(200);
    const { answer } = await untilLimited(LIMITS.GUESS_LIMIT, () => ask('GET /clients/me', 'a.b.c', address));
    expectProblem(answer, 429, 'rate_limited');
    expect((await ask('GET /clients/me', one.token, address)).status).toBe(200);
    expect((await ask('GET /runner/bots', one.machineToken, address)).status).toBe(200);
  });

  it('include requests with a revoked token', async () => {
    const [one, address] = [await newClientWithRunner(), newAddress()];
    expect((await ask('GET /runner/bots', one.machineToken, address)).status).toBe(200);
    expect((await ask(`DELETE /tokens/${one.tokenId}`, one.token, address)).status).toBe(200);
    expectProblem(await ask('GET /runner/bots', one.machineToken, address), 401, 'token_invalid');
    const { answer } = await untilLimited(LIMITS.GUESS_LIMIT, () =>
      ask('GET /runner/bots', one.machineToken, address),
    );
    expect(answer.headers.get('ratelimit')).toBe('"guesses";r=0;t=60');
  });

  it('do not include requests without a token', async () => {
    const address = newAddress();
    for (let n = 0; n < 3 * LIMITS.GUESS_LIMIT; n++)
      expectProblem(await ask('GET /clients/me', undefined, address), 401, 'authentication_required');
  });
});

describe('expired access tokens', () => {
  it.each(['GET /clients/me', 'DELETE /clients/{id}/revoke-key'])(
    '%s: are counted by network, and limit neither other networks nor guesses and sessions of that network',
    async (line) => {
      const [one, address] = [await newClientWithRunner(), newAddress()];
      const path = line.replace('{id}', one.clientId);
      const expired = await accessToken({ sub: one.userId, exp: inSeconds(-60) });
      const { through, answer } = await untilLimited(LIMITS.READ_LIMIT, async (n) => {
        const answer = await ask(path, expired, `${address}${n}:`);
        if (answer.status !== 429) expectProblem(answer, 401, 'token_expired');
        return answer;
      });
      expect(through).toBeGreaterThanOrEqual(LIMITS.READ_LIMIT);
      expectProblem(answer, 429, 'rate_limited');
      expect(answer.headers.get('ratelimit')).toBe('"reads";r=0;t=60');
      expectProblem(await ask(path, expired, newAddress()), 401, 'token_expired');
      // No session, machine token or other credential is limited because of them.
      expect((await ask('GET /clients/me', one.token, address)).status).toBe(200);
      expect((await ask('GET /runner/bots', one.machineToken, address)).status).toBe(200);
      expectProblem(await ask('GET /clients/me', 'a.b.c', address), 401, 'token_invalid');
      expect((await ask(`DELETE /clients/${one.clientId}/revoke-key`, one.token, address)).status).toBe(200);
    },
  );
});

interface Configuration {
  readonly vars: Record<string, unknown>;
  readonly ratelimits: { name: string; namespace_id: string; simple: { limit: number; period: number } }[];
}

describe('wrangler.toml', () => {
  it('sends the real limits to callers', () => {
    const { ratelimits, vars }: Configuration = unstable_readConfig({ config: 'wrangler.toml' });
    const kinds: Record<string, string> = {
      READ_LIMIT: 'reads',
      CHANGE_LIMIT: 'changes',
      SIGN_LIMIT: 'signing',
      GUESS_LIMIT: 'guesses',
    };
    const policy = ratelimits.map(
      ({ name, simple: { limit, period } }) => `"${kinds[name]}";q=${limit};w=${period}`,
    );
    expect(policy).toHaveLength(4);
    expect(vars.RATE_LIMIT_POLICY).toBe(policy.join(', '));
    expect(new Set(ratelimits.map(({ namespace_id }) => namespace_id)).size).toBe(4);
  });
});
