/** Which callers reach a handler, and which database the handler gets. Runs without a database. */
import { Hono } from 'hono';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import type { AppEnv } from '../../src/app-env.ts';
import type { Access } from '../../src/auth/access.ts';
import { authenticate } from '../../src/auth/authenticate.ts';
import type { Runner } from '../../src/database/as-runner.ts';
import { CallStats } from '../../src/database/call-stats.ts';
import type { Bindings, RateLimiters } from '../../src/env.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { Problem } from '../../src/problem.ts';
import { type Runtime, runtimeFor } from '../../src/runtime.ts';
import { badSessions } from '../support/bad-sessions.ts';
import { newHostedProject } from '../support/hosted-sessions.ts';
import { accessToken } from '../support/people.ts';
import { settings } from '../support/settings.ts';

const sub = crypto.randomUUID();
const session = await accessToken({ sub });
const sessions = await badSessions(sub);
const machineToken = newMachineToken();
const env = { ...settings(), ...(await newHostedProject()).settings };
const callStats = new CallStats();

/** Replaces the database: records what the middleware reports about the caller. */
const database = {
  asCaller: (caller: object) => ({ caller }),
  asRunner: ({ onTokenChecked, ...runner }: Runner) => ({ runner, onTokenChecked }),
} as unknown as ReturnType<Runtime['database']>;

const handled: unknown[] = [];
const counted: string[] = [];

/** Counters that record calls and reject the kinds that a test names. */
function limiters(refused?: string): RateLimiters {
  const limiter = (name: string) => ({
    limit: async ({ key }: { readonly key: string }) => {
      counted.push(`${name}: ${key}`);
      return { success: name !== refused };
    },
  });
  return { READ_LIMIT: limiter('reads'), SIGN_LIMIT: limiter('signing'), GUESS_LIMIT: limiter('guesses') };
}

const ACCESS: Record<string, Access> = {
  open: { who: 'anyone', rate: 'reads', stepUp: false, audited: false },
  session: { who: 'session', rate: 'reads', stepUp: false, audited: false },
  key: { who: 'session', rate: 'never', stepUp: true, audited: true },
  runner: { who: 'runner', rate: 'signing', stepUp: false, audited: false },
};

function service(bindings: Bindings, knownTokens: Set<string>, found?: boolean) {
  const app = new Hono<AppEnv>();
  const runtime = { ...runtimeFor(bindings), database: () => database, knownTokens };
  app.onError((error, c) => {
    if (!(error instanceof Problem)) throw error;
    return c.text(error.code, error.status as 401);
  });
  app.use(async (c, next) => {
    c.set('runtime', runtime);
    c.set('requestId', 'request-1');
    c.set('callStats', callStats);
    const [, word = ''] = /^\/(\w+)\/\d+$/.exec(c.req.path) ?? [];
    const access = ACCESS[word];
    if (access) c.set('route', { method: 'GET', path: `/${word}/{status}`, access });
    await next();
  });
  app.use(authenticate);
  for (const word of Object.keys(ACCESS)) {
    app.get(`/${word}/:status`, (c) => {
      const { onTokenChecked, ...runner } = { ...c.var.runnerDatabase } as unknown as Partial<Runner>;
      handled.push({ ...c.var.database, ...runner });
      if (found !== undefined) onTokenChecked?.(found);
      return c.text('handled', Number(c.req.param('status')) as 200);
    });
  }
  return app;
}

async function answerOf(
  path: string,
  authorization?: string,
  { refused, bindings = env, known = new Set<string>(), found }: Partial<Circumstances> = {},
): Promise<Response> {
  handled.length = counted.length = 0;
  const headers = authorization === undefined ? {} : { authorization };
  const request = new Request(`http://api.example.test${path}`, { headers });
  return service(bindings, known, found).fetch(request, limiters(refused));
}

interface Circumstances {
  readonly refused: string;
  readonly bindings: Bindings;
  readonly known: Set<string>;
  /** Whether the database finds the token; undefined if it is not called. */
  readonly found: boolean;
}

const ask = async (...given: Parameters<typeof answerOf>) => (await answerOf(...given)).text();

describe('a path that no route has', () => {
  it.each([undefined, session, machineToken, 'garbage'])(
    'with %.20s -> 404, and nothing is counted',
    async (token) => {
      const authorization = token && `Bearer ${token}`;
      expect(await ask('/sessions', authorization)).toBe('404 Not Found');
      expect(await ask('/session/200/', authorization)).toBe('404 Not Found');
      expect([counted, handled]).toEqual([[], []]);
    },
  );
});

describe('a route for sessions', () => {
  it('with a session -> the database as this caller, with the same token', async () => {
    expect(await ask('/session/200', `Bearer ${session}`)).toBe('handled');
    const { exp } = decodeJwt(session);
    const caller = { session: { token: session, expiresAt: exp }, requestId: 'request-1', callStats };
    expect(handled).toEqual([{ caller }]);
  });

  it.each(sessions)('with $how -> $code, and nothing is handled', async ({ header, code }) => {
    expect(await ask('/session/200', header)).toBe(code);
    expect(handled).toEqual([]);
  });

  it('with a machine token -> session_required, and nothing is handled', async () => {
    for (const token of [machineToken, machineToken.slice(0, -1), 'tk_'])
      expect(await ask('/session/200', `Bearer ${token}`)).toBe('session_required');
    expect(handled).toEqual([]);
  });
});

describe('a route for runners', () => {
  it('with a machine token -> the database as this runner', async () => {
    expect(await ask('/runner/200', `Bearer ${machineToken}`)).toBe('handled');
    expect(handled).toEqual([{ runner: { token: machineToken, requestId: 'request-1', callStats } }]);
  });

  it.each([
    ['no token', undefined, 'authentication_required'],
    ['a session', `Bearer ${session}`, 'machine_token_required'],
    ['any text in the form of a JWT', 'Bearer a.b.c', 'machine_token_required'],
    ['a text of neither form', 'Bearer garbage', 'token_invalid'],
    ['a machine token cut short', `Bearer ${machineToken.slice(0, -1)}`, 'token_invalid'],
    ['a machine token without a scheme', machineToken, 'token_invalid'],
    ['a machine token under another scheme', `Basic ${machineToken}`, 'token_invalid'],
  ])('with %s -> refused, and nothing is handled', async (_, header, code) => {
    expect(await ask('/runner/200', header)).toBe(code);
    expect(handled).toEqual([]);
  });
});

describe('a route for anyone', () => {
  it.each([undefined, 'Bearer garbage', `Bearer ${session}`])(
    'with %.20s -> handled, without a database',
    async (header) => {
      expect(await ask('/open/200', header)).toBe('handled');
      expect(handled).toEqual([{}]);
    },
  );
});

// RFC 9110, section 11.1: a scheme is case-insensitive. RFC 6750, section 2.1: a token is a b64token.
describe('the Authorization header', () => {
  it.each(['Bearer ', 'bearer ', 'BEARER   '])('%o and a token -> accepted', async (scheme) => {
    expect(await ask('/runner/200', scheme + machineToken)).toBe('handled');
  });

  // RFC 9110, section 5.5: this white space is not part of a value, and no runtime passes it on.
  it('with white space around its value -> accepted', async () => {
    expect(await ask('/runner/200', ` \t Bearer ${machineToken} \t `)).toBe('handled');
  });

  it.each([
    ['another word before', (token: string) => `x Bearer ${token}`],
    ['no space between', (token: string) => `Bearer${token}`],
    ['a tab between', (token: string) => `Bearer\t${token}`],
    ['a second word', (token: string) => `Bearer ${token} x`],
    ['a comma', (token: string) => `Bearer ${token},`],
    ['quotes', (token: string) => `Bearer "${token}"`],
    ['= before the end', (token: string) => `Bearer =${token}`],
  ])('with %s -> token_invalid', async (_, write) => {
    for (const [path, token] of [
      ['/runner/200', machineToken],
      ['/session/200', session],
    ] as const) {
      expect(await ask(path, write(token))).toBe('token_invalid');
    }
  });
});

describe('the rate limit', () => {
  const tokenHash = hashOfMachineToken(machineToken);

  it('of a verified session -> counts by account', async () => {
    await ask('/session/200', `Bearer ${session}`);
    expect(counted).toEqual([`reads: account ${sub}`]);
  });

  it.each(sessions)('for $how -> counts by network, or nothing without a token', async ({ header, code }) => {
    await ask('/session/200', header);
    const kind = { token_invalid: 'guesses', token_expired: 'reads' }[code as string];
    expect(counted).toEqual(kind === undefined ? [] : [`${kind}: network unknown`]);
  });

  it('of a route for anyone -> counts by network, whatever the Authorization header', async () => {
    await ask('/open/200', 'Bearer garbage');
    expect(counted).toEqual(['reads: network unknown']);
    expect(await ask('/open/200', 'Bearer garbage', { refused: 'reads' })).toBe('rate_limited');
  });

  it('of a route that is never limited -> counts nothing', async () => {
    await ask('/key/200', `Bearer ${session}`);
    expect(counted).toEqual([]);
  });

  it.each([
    ['a call of a session', '/session/200', session, 'reads'],
    ['a call of a machine token', '/runner/200', machineToken, 'signing'],
    ['a guess', '/session/200', 'garbage', 'guesses'],
    ['a machine token that is not known yet', '/runner/200', machineToken, 'guesses'],
  ])('%s above the limit -> rate_limited, and no handler runs', async (_, path, token, refused) => {
    expect(await ask(path, `Bearer ${token}`, { refused })).toBe('rate_limited');
    expect(handled).toEqual([]);
  });

  it('of a machine token is a guess as well, until the database has found it', async () => {
    const known = new Set<string>();
    await ask('/runner/200', `Bearer ${machineToken}`, { known, found: true });
    expect(counted).toEqual([expect.stringMatching(/^guesses: network /), `signing: token ${tokenHash}`]);
    await ask('/runner/200', `Bearer ${machineToken}`, { known, refused: 'guesses' });
    expect(counted).toEqual([`signing: token ${tokenHash}`]);
    expect([...known]).toEqual([tokenHash]);
  });

  it.each([200, 403, 404, 409, 422, 503])(
    'of a status of %d says nothing about the token',
    async (status) => {
      for (const known of [new Set<string>(), new Set([tokenHash])]) {
        const before = known.size;
        await ask(`/runner/${status}`, `Bearer ${machineToken}`, { known });
        expect(known.size).toBe(before);
      }
    },
  );

  it('is a guess again after the database did not find the token', async () => {
    const known = new Set([tokenHash]);
    await ask('/runner/401', `Bearer ${machineToken}`, { known, found: false });
    expect(known.has(tokenHash)).toBe(false);
  });

  it('remembers ten thousand known tokens, and forgets the oldest first', async () => {
    const known = new Set(Array.from({ length: 9_999 }, (_, i) => `token ${i}`));
    await ask('/runner/200', `Bearer ${machineToken}`, { known, found: true });
    expect([known.size, known.has('token 0'), known.has(tokenHash)]).toEqual([10_000, true, true]);
    const another = newMachineToken();
    await ask('/runner/200', `Bearer ${another}`, { known, found: true });
    const hashes = ['token 0', 'token 1', tokenHash, hashOfMachineToken(another)];
    expect([known.size, ...hashes.map((hash) => known.has(hash))]).toEqual([10_000, false, true, true, true]);
    // Who is known already takes nobody's place.
    await ask('/runner/200', `Bearer ${another}`, { known, found: true });
    expect([known.size, known.has('token 1')]).toEqual([10_000, true]);
  });

  it('is in a header, which is absent without a limit', async () => {
    const bindings = { ...env, RATE_LIMIT_POLICY: '"reads";q=5;w=60' };
    const limited = await answerOf('/session/200', `Bearer ${session}`, { bindings });
    expect(limited.headers.get('ratelimit-policy')).toBe('"reads";q=5;w=60');
    const others = [
      await answerOf('/session/200', `Bearer ${session}`),
      await answerOf('/key/200', `Bearer ${session}`, { bindings }),
    ];
    expect(others.map(({ headers }) => headers.has('ratelimit-policy'))).toEqual([false, false]);
  });
});

describe('a key change, if a second factor is required', () => {
  const bindings = { ...env, REQUIRE_AAL2: 'true' };

  it('with one factor -> second_factor_required, and no handler runs', async () => {
    expect(await ask('/key/200', `Bearer ${session}`, { bindings })).toBe('second_factor_required');
    expect(handled).toEqual([]);
  });

  it('with two factors -> handled; other routes are handled with one', async () => {
    const strong = await accessToken({ sub, aal: 'aal2' });
    expect(await ask('/key/200', `Bearer ${strong}`, { bindings })).toBe('handled');
    expect(await ask('/session/200', `Bearer ${session}`, { bindings })).toBe('handled');
  });
});
