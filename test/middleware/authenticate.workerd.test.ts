/** Who is let through to a handler, and what of the database the handler is given: without a database. */
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { AppEnv } from '../../src/app-env.ts';
import { Tally } from '../../src/database/tally.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { authenticate } from '../../src/middleware/authenticate.ts';
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
const tally = new Tally();

/** In place of a database: what the middleware says of the caller is all that is seen of it. */
const database = {
  asCaller: (caller: object) => ({ caller }),
  asRunner: (runner: object) => ({ runner }),
} as unknown as ReturnType<Runtime['database']>;

const asked: unknown[] = [];
const handled: unknown[] = [];

function service() {
  const app = new Hono<AppEnv>();
  app.onError((error, c) => {
    if (!(error instanceof Problem)) throw error;
    return c.text(error.code, 401);
  });
  app.use(async (c, next) => {
    c.set('runtime', { ...runtimeFor(env), database: () => database });
    c.set('requestId', 'request-1');
    c.set('tally', tally);
    await next();
  });
  app.use(
    authenticate((path, method) => {
      asked.push([path, method]);
      return path.startsWith('/runner') ? 'runner' : path.startsWith('/open') ? 'anyone' : 'session';
    }),
  );
  for (const path of ['/session/:id', '/runner/:id', '/open/:id']) {
    app.get(path, (c) => {
      handled.push({ ...c.var.database, ...c.var.runnerDatabase });
      return c.text('handled');
    });
  }
  return app;
}

async function ask(path: string, authorization?: string): Promise<string> {
  handled.length = asked.length = 0;
  const headers = authorization === undefined ? {} : { authorization };
  return (await service().fetch(new Request(`http://api.example.test${path}`, { headers }))).text();
}

describe('who may ask', () => {
  it('is decided by the method and the path of the route', async () => {
    await ask('/open/1');
    expect(asked).toEqual([['/open/:id', 'GET']]);
  });

  it('is decided by the path asked for where no route has it', async () => {
    expect(await ask('/sessions')).toBe('authentication_required');
    expect(asked).toEqual([['/sessions', undefined]]);
    expect(await ask('/opened')).toBe('404 Not Found');
  });
});

describe('a route for sessions', () => {
  it('with a session -> the database as this caller, under this very token', async () => {
    expect(await ask('/session/1', `Bearer ${session}`)).toBe('handled');
    expect(handled).toEqual([{ caller: { token: session, requestId: 'request-1', tally } }]);
  });

  it.each(sessions)('with $how -> $code, and nothing is handled', async ({ header, code }) => {
    expect(await ask('/session/1', header)).toBe(code);
    expect(handled).toEqual([]);
  });

  it('with a machine token -> token_invalid, and nothing is handled', async () => {
    expect(await ask('/session/1', `Bearer ${machineToken}`)).toBe('token_invalid');
    expect(handled).toEqual([]);
  });
});

describe('a route for runners', () => {
  it('with a machine token -> the database as this runner, under the hash of the token', async () => {
    expect(await ask('/runner/1', `Bearer ${machineToken}`)).toBe('handled');
    const tokenHash = hashOfMachineToken(machineToken);
    expect(handled).toEqual([{ runner: { tokenHash, requestId: 'request-1', tally } }]);
  });

  it.each([
    ['no token', undefined, 'authentication_required'],
    ['a session', `Bearer ${session}`, 'token_invalid'],
    ['a machine token cut short', `Bearer ${machineToken.slice(0, -1)}`, 'token_invalid'],
    ['a machine token without a scheme', machineToken, 'token_invalid'],
    ['a machine token under another scheme', `Basic ${machineToken}`, 'token_invalid'],
  ])('with %s -> refused, and nothing is handled', async (_, header, code) => {
    expect(await ask('/runner/1', header)).toBe(code);
    expect(handled).toEqual([]);
  });
});

describe('a route for anyone', () => {
  it.each([undefined, 'Bearer garbage', `Bearer ${session}`])(
    'with %.20s -> handled, without a database',
    async (header) => {
      expect(await ask('/open/1', header)).toBe('handled');
      expect(handled).toEqual([{}]);
    },
  );
});

// RFC 9110, section 11.1: a scheme is case-insensitive. RFC 6750, section 2.1: a token is a b64token.
describe('the Authorization header', () => {
  it.each(['Bearer ', 'bearer ', 'BEARER   '])('%o and a token -> in', async (scheme) => {
    expect(await ask('/runner/1', scheme + machineToken)).toBe('handled');
  });

  // RFC 9110, section 5.5: it belongs to no value, and no runtime hands it over.
  it('with white space around what it says -> in', async () => {
    expect(await ask('/runner/1', ` \t Bearer ${machineToken} \t `)).toBe('handled');
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
      ['/runner/1', machineToken],
      ['/session/1', session],
    ] as const) {
      expect(await ask(path, write(token))).toBe('token_invalid');
    }
  });
});
