/** The published keys of a project: fetched at first use, cached, and fetched again at a limited rate. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createVerifier, type Verifier } from '../../src/auth/verify-token.ts';
import { readSettings } from '../../src/env.ts';
import { type HostedProject, newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';

const sub = crypto.randomUUID();
const first = await newSigningKey('ES256');
const second = await newSigningKey('RS256');
const third = await newSigningKey('EdDSA');

async function hosted(keys = [first]) {
  const project = await newHostedProject(keys);
  return { project, verifier: createVerifier(readSettings(project.settings)) };
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Advances the clock of the key cache, without waiting. */
function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
}

const unavailable = { code: 'auth_unavailable' };
const invalid = { code: 'token_invalid' };
const keySet = JSON.stringify({ keys: [first.jwk] });
const html = { status: 200, type: 'text/html', body: '<html>Sign in to the wifi</html>' };

describe('keys that were fetched', () => {
  it('verify many tokens with one fetch', async () => {
    const { project, verifier } = await hosted([first, second, third]);
    for (const key of [first, second, third, first]) {
      expect(await verifier.verify(await project.token(key, { sub }))).toEqual({
        userId: sub,
        expiresAt: expect.any(Number),
      });
    }
    expect((await project.counts()).jwksFetches).toBe(1);
  });

  it('are used while the Auth server is down, for 10 minutes', async () => {
    const { project, verifier } = await hosted();
    const token = await project.token(first, { sub });
    await verifier.verify(token);
    await project.set({ jwks: { status: 500, type: 'text/plain', body: 'down' } });
    later(590);
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    later(20);
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
  });

  it('no longer include an unpublished key after 10 minutes', async () => {
    const { project, verifier } = await hosted([first]);
    const token = await project.token(first, { sub });
    await verifier.verify(token);
    await project.set({ keys: [second.jwk] });
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    later(610);
    await expect(verifier.verify(token)).rejects.toMatchObject(invalid);
  });
});

describe('readiness', () => {
  it('fetches the keys once while they are fresh, and again afterwards', async () => {
    const { project, verifier } = await hosted();
    await verifier.probe();
    await verifier.probe();
    expect((await project.counts()).jwksFetches).toBe(1);
    await project.set({ jwks: html });
    await verifier.probe();
    later(610);
    await expect(verifier.probe()).rejects.toMatchObject(unavailable);
  });

  it('fetches again while no key is published', async () => {
    const { project, verifier } = await hosted([]);
    await expect(verifier.probe()).rejects.toMatchObject(unavailable);
    await project.set({ keys: [first.jwk] });
    await verifier.probe();
    expect((await project.counts()).jwksFetches).toBe(2);
  });

  it('fetches no keys if there is a secret', async () => {
    const { project } = await hosted();
    await project.set({ jwks: html });
    const verifier = createVerifier(
      readSettings({ ...project.settings, SUPABASE_JWT_SECRET: 'a-secret-of-a-sufficient-length' }),
    );
    await verifier.probe();
    expect((await project.counts()).jwksFetches).toBe(0);
  });
});

/** A clock that the test moves, for limits that must hold to the millisecond. */
function standingClock() {
  let now = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => now);
  const advance = (milliseconds: number) => {
    now += milliseconds;
  };
  return { advance };
}

describe('a token that was verified before', () => {
  /** Verified twice: the first verification fetches the keys, which clears the cache of verified tokens. */
  async function remembered(project: HostedProject, verifier: Verifier): Promise<string> {
    const token = await project.token(first, { sub });
    for (let i = 0; i < 2; i++)
      expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    return token;
  }

  it('expires', async () => {
    const { project, verifier } = await hosted();
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = await project.token(first, { sub, exp });
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    later(50);
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    later(25);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_expired' });
  });

  it('does not make a token with another signature or other claims valid', async () => {
    const { project, verifier } = await hosted();
    const token = await remembered(project, verifier);
    const other = await project.token(first, { sub: crypto.randomUUID() });
    const [header, claims, signature] = token.split('.');
    const [, otherClaims, otherSignature] = other.split('.');
    for (const mixed of [
      [header, claims, otherSignature],
      [header, otherClaims, signature],
      [header, claims, ''],
    ])
      await expect(verifier.verify(mixed.join('.'))).rejects.toMatchObject(invalid);
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
  });

  it('is rejected as soon as a fetch for another token no longer returns its key', async () => {
    const { project, verifier } = await hosted([first]);
    const token = await remembered(project, verifier);
    await project.set({ keys: [second.jwk] });
    later(31);
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    await verifier.verify(await project.token(second, { sub }));
    await expect(verifier.verify(token)).rejects.toMatchObject(invalid);
  });

  it('is rejected as soon as a fetch for GET /ready no longer returns its key', async () => {
    const { project, verifier } = await hosted([first]);
    const token = await remembered(project, verifier);
    await project.set({ keys: [second.jwk] });
    later(610);
    await verifier.probe();
    await expect(verifier.verify(token)).rejects.toMatchObject(invalid);
  });
});

describe('a key id that is not among the fetched keys', () => {
  it('is fetched again after 30 seconds: a rotated key works', async () => {
    const { project, verifier } = await hosted([first]);
    await verifier.verify(await project.token(first, { sub }));
    await project.set({ keys: [first.jwk, second.jwk] });
    const token = await project.token(second, { sub });
    await expect(verifier.verify(token)).rejects.toMatchObject(invalid);
    later(31);
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    expect((await project.counts()).jwksFetches).toBe(2);
  });

  it('a hundred times -> at most one fetch in 30 seconds', async () => {
    const { project, verifier } = await hosted([first]);
    await verifier.verify(await project.token(first, { sub }));
    for (let i = 0; i < 100; i++) {
      const token = await project.token(first, { sub }, { kid: `unknown-${i}` });
      await expect(verifier.verify(token)).rejects.toMatchObject(invalid);
    }
    expect((await project.counts()).jwksFetches).toBe(1);
    later(31);
    for (let i = 0; i < 20; i++) {
      const token = await project.token(first, { sub }, { kid: `unknown-${i}` });
      await expect(verifier.verify(token)).rejects.toMatchObject(invalid);
    }
    expect((await project.counts()).jwksFetches).toBe(2);
  });

  it('is fetched again 30 seconds after the last fetch, to the millisecond', async () => {
    const { project, verifier } = await hosted([first]);
    const { advance } = standingClock();
    await verifier.verify(await project.token(first, { sub }));
    const token = await project.token(first, { sub }, { kid: 'unknown' });
    for (const [milliseconds, fetches] of [
      [29_999, 1],
      [1, 2],
      [29_999, 2],
      [1, 3],
    ] as const) {
      advance(milliseconds);
      await expect(verifier.verify(token)).rejects.toMatchObject(invalid);
      expect((await project.counts()).jwksFetches).toBe(fetches);
    }
  });

  it('while keys cannot be fetched -> auth_unavailable; tokens of known keys are accepted', async () => {
    const { project, verifier } = await hosted([first]);
    const token = await project.token(first, { sub });
    await verifier.verify(token);
    await project.set({ jwks: html });
    later(31);
    const unknown = await project.token(first, { sub }, { kid: 'unknown' });
    await expect(verifier.verify(unknown)).rejects.toMatchObject(unavailable);
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
  });

  it('in a hundred concurrent tokens, after 30 seconds -> a few fetches', async () => {
    const { project, verifier } = await hosted([first]);
    await verifier.verify(await project.token(first, { sub }));
    const tokens = await Promise.all(
      Array.from({ length: 100 }, (_, i) => project.token(first, { sub }, { kid: `unknown-${i}` })),
    );
    later(31);
    await Promise.allSettled(tokens.map((token) => verifier.verify(token)));
    expect((await project.counts()).jwksFetches).toBeLessThanOrEqual(3);
  });
});

describe('keys that cannot be fetched', () => {
  it.each([
    ['returns 500', { status: 500, type: 'text/plain', body: '' }],
    ['returns a page', html],
    ['returns 404', { status: 404, type: 'application/json', body: '{}' }],
    ['returns its keys with 404', { status: 404, type: 'application/json', body: keySet }],
    ['returns its keys with 201', { status: 201, type: 'application/json', body: keySet }],
    ['returns another JSON object', { status: 200, type: 'application/json', body: '{"error":"x"}' }],
    ['returns null', { status: 200, type: 'application/json', body: 'null' }],
  ])('the Auth server %s -> auth_unavailable, until it returns its keys', async (_, jwks) => {
    const { project, verifier } = await hosted();
    await project.set({ jwks });
    const token = await project.token(first, { sub });
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
    await expect(verifier.probe()).rejects.toMatchObject(unavailable);
    await project.set({ jwks: 'keys' });
    await verifier.probe();
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
  });

  it('are not fetched for every token: one fetch, then one in a second or two', async () => {
    const { project, verifier } = await hosted();
    await project.set({ jwks: { status: 500, type: 'text/plain', body: 'down' } });
    const token = await project.token(first, { sub });
    const ask = () => expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
    for (let i = 0; i < 20; i++) await ask();
    expect((await project.counts()).jwksFetches).toBe(1);
    later(3);
    await Promise.all(Array.from({ length: 20 }, ask));
    expect((await project.counts()).jwksFetches).toBe(2);
    await project.set({ jwks: 'keys' });
    await ask();
    later(3);
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    expect((await project.counts()).jwksFetches).toBe(3);
  });

  it.each([
    ['one second', 0, 1_000],
    ['two seconds', 1, 2_000],
  ])('are fetched again after %s, a random time between one and two', async (_, chance, milliseconds) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    const { advance } = standingClock();
    const { project, verifier } = await hosted();
    await project.set({ jwks: { status: 500, type: 'text/plain', body: 'down' } });
    const token = await project.token(first, { sub });
    for (const [wait, fetches] of [
      [0, 1],
      [milliseconds - 1, 1],
      [1, 2],
      [milliseconds - 1, 2],
      [1, 3],
    ] as const) {
      advance(wait);
      await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
      expect((await project.counts()).jwksFetches).toBe(fetches);
    }
  });

  it('admit no token in the meantime, and no forged token afterwards', async () => {
    const { project, verifier } = await hosted([first]);
    await project.set({ jwks: { status: 500, type: 'text/plain', body: 'down' } });
    const forger = await newSigningKey('ES256');
    const forged = await project.token(forger, { sub }, { kid: first.jwk.kid ?? '' });
    await expect(verifier.verify(forged)).rejects.toMatchObject(unavailable);
    await project.set({ jwks: 'keys' });
    later(3);
    await expect(verifier.verify(forged)).rejects.toMatchObject(invalid);
    expect(await verifier.verify(await project.token(first, { sub }))).toEqual({
      userId: sub,
      expiresAt: expect.any(Number),
    });
  });

  it('and can be fetched again -> no token is rejected at the next fetch', async () => {
    const { project, verifier } = await hosted();
    await project.set({ jwks: { status: 500, type: 'text/plain', body: 'down' } });
    const token = await project.token(first, { sub });
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
    await project.set({ jwks: 'keys' });
    await verifier.probe();
    await verifier.verify(token);
    later(610);
    const all = await Promise.all(Array.from({ length: 5 }, () => verifier.verify(token)));
    expect(all).toEqual(Array.from({ length: 5 }, () => ({ userId: sub, expiresAt: expect.any(Number) })));
  });

  it('the Auth server returns more than the size limit of a key set -> auth_unavailable', async () => {
    const { project, verifier } = await hosted();
    const body = JSON.stringify({ keys: [first.jwk], padding: 'x'.repeat(300_000) });
    await project.set({ jwks: { status: 200, type: 'application/json', body } });
    await expect(verifier.verify(await project.token(first, { sub }))).rejects.toMatchObject(unavailable);
  });

  it('the Auth server hangs -> auth_unavailable, within 3 seconds', async () => {
    const limit = vi.spyOn(AbortSignal, 'timeout');
    const { project, verifier } = await hosted();
    await project.set({ jwks: 'hang' });
    limit.mockImplementationOnce((milliseconds) => {
      expect(milliseconds).toBeLessThanOrEqual(3_000);
      return AbortSignal.any([AbortSignal.abort(new DOMException('', 'TimeoutError'))]);
    });
    await expect(verifier.verify(await project.token(first, { sub }))).rejects.toMatchObject(unavailable);
    expect(limit).toHaveBeenCalledOnce();
  });

  it('no key is published -> token_invalid, and /ready fails', async () => {
    const { project, verifier } = await hosted([]);
    await expect(verifier.verify(await project.token(first, { sub }))).rejects.toMatchObject(invalid);
    await expect(verifier.probe()).rejects.toMatchObject(unavailable);
  });

  it('the Auth server refuses the connection -> auth_unavailable', async () => {
    const { project } = await hosted();
    const verifier = createVerifier(
      readSettings({ ...project.settings, SUPABASE_URL: 'http://127.0.0.1:9' }),
    );
    await expect(verifier.verify(await project.token(first, { sub }))).rejects.toMatchObject(unavailable);
  });
});
