import { SignJWT } from 'jose';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { createVerifier } from '../../src/auth/verify-token.ts';
import { readSettings } from '../../src/env.ts';
import { newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';
import { accessToken, inSeconds } from '../support/people.ts';
import { settings } from '../support/settings.ts';

const sub = crypto.randomUUID();
const key = await newSigningKey('ES256');
const project = await newHostedProject([key]);

const good = { sub, role: 'authenticated', aud: 'authenticated', exp: inSeconds(3600) };

const hs256 = createVerifier(readSettings(settings()));
const hosted = createVerifier(readSettings(project.settings));

afterEach(() => void vi.restoreAllMocks());

const kinds = [
  ['HS256', hs256, (claims: object) => accessToken({ sub, ...claims })],
  ['ES256', hosted, (claims: object) => project.token(key, { sub, ...claims })],
] as const;

it.each(kinds)('an %s token that was verified before is not verified again', async (_, verifier, token) => {
  const known = await token({});
  // With published keys, the first token fetches them, which clears the cache of verified tokens.
  for (let i = 0; i < 2; i++) await verifier.verify(known);
  const verify = vi.spyOn(crypto.subtle, 'verify');
  await verifier.verify(known);
  expect(verify).not.toHaveBeenCalled();
  await verifier.verify(await token({ iat: 1 }));
  expect(verify).toHaveBeenCalledTimes(1);
});

describe.each(kinds)('the clock of an %s token', (_, verifier, token) => {
  it.each([
    ['expired 5 seconds ago', { exp: inSeconds(-5) }],
    ['issued in 5 seconds', { iat: inSeconds(5) }],
    ['valid in 5 seconds', { nbf: inSeconds(5) }],
    ['without a time of issue', { iat: undefined }],
  ])('%s -> accepted', async (_, claims) => {
    expect(await verifier.verify(await token(claims))).toEqual({
      userId: sub,
      expiresAt: expect.any(Number),
    });
  });

  it.each([
    ['expired 20 seconds ago', { exp: inSeconds(-20) }, 'token_expired'],
    ['issued in 30 seconds', { iat: inSeconds(30) }, 'token_invalid'],
    ['valid in 30 seconds', { nbf: inSeconds(30) }, 'token_invalid'],
  ])('%s -> rejected', async (_, claims, code) => {
    await expect(verifier.verify(await token(claims))).rejects.toMatchObject({ code });
  });
});

describe('a time of issue', () => {
  it.each([
    ['10 seconds ahead', 10, true],
    ['11 seconds ahead', 11, false],
  ])('%s of the clock', async (_, ahead, isIn) => {
    const now = inSeconds(0);
    vi.spyOn(Date, 'now').mockReturnValue(now * 1000);
    const verified = hosted.verify(await project.token(key, { sub, iat: now + ahead }));
    if (isIn) expect(await verified).toEqual({ userId: sub, expiresAt: expect.any(Number) });
    else await expect(verified).rejects.toMatchObject({ code: 'token_invalid' });
  });
});

describe('a subject', () => {
  it.each([
    ['a UUID and more', `${sub}0`],
    ['more and a UUID', `0${sub}`],
    ['a UUID and a line break', `${sub}\n`],
    ['a UUID in capitals', sub.toUpperCase()],
    ['a list of a UUID', [sub]],
  ])('that is %s -> rejected', async (_, bent) => {
    for (const [verifier, token] of [
      [hs256, await accessToken({ sub: bent })],
      [hosted, await project.token(key, { sub: bent })],
    ] as const) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
    }
  });
});

it('a token of 8192 characters -> accepted; of 8193 -> rejected', async () => {
  const lengths = new Map<number, string>();
  for (let padding = 5_700; !(lengths.has(8192) && lengths.has(8193)) && padding < 6_200; padding++) {
    for (const kid of ['', 'k', 'kk']) {
      const token = await new SignJWT({ ...good, padding: 'x'.repeat(padding) })
        .setProtectedHeader({ alg: 'HS256', kid })
        .sign(new TextEncoder().encode(inject('jwtSecret')));
      lengths.set(token.length, token);
    }
  }
  expect(await hs256.verify(lengths.get(8192) ?? '')).toEqual({ userId: sub, expiresAt: expect.any(Number) });
  await expect(hs256.verify(lengths.get(8193) ?? '')).rejects.toMatchObject({ code: 'token_invalid' });
});

describe('the sign-in claims', () => {
  const way = (timestamp: unknown) => ({ method: 'password', timestamp });

  it.each<[string, object, object]>([
    ['nothing', {}, {}],
    ['a level', { aal: 'aal2' }, { aal: 'aal2' }],
    ['a level that is a list', { aal: ['aal2'] }, {}],
    ['one method', { amr: [way(5)] }, { signedInAt: 5 }],
    ['three methods', { amr: [way(5), way(9), way(7)] }, { signedInAt: 9 }],
    ['a method without a time among others', { amr: [way('8'), {}, null, way(6)] }, { signedInAt: 6 }],
    ['methods without a time', { amr: ['pwd', 'otp'] }, {}],
    ['no method', { amr: [] }, {}],
    ['methods that are not a list', { amr: way(5) }, {}],
    ['a time of authentication', { auth_time: 3, amr: [way(5)] }, { signedInAt: 3 }],
    ['a time that is a text', { auth_time: '3', amr: [way(5)] }, { signedInAt: 5 }],
    ['a time of authentication alone', { auth_time: 3 }, { signedInAt: 3 }],
    ['a time of authentication and no methods', { auth_time: 3, amr: null }, { signedInAt: 3 }],
    ['a new second factor', { amr: [{ method: 'totp', timestamp: 9 }, way(5)] }, { signedInAt: 5 }],
    ['a newer time of authentication', { auth_time: 9, amr: [way(5)] }, { signedInAt: 5 }],
    ['a time of authentication and no first factor', { auth_time: 9, amr: [] }, {}],
    ['a time of authentication and methods that are not a list', { auth_time: 9, amr: way(9) }, {}],
    ['an entry without a method', { amr: [{ timestamp: 9 }] }, {}],
    ['an entry with two methods', { amr: [{ method: ['password'], timestamp: 9 }] }, {}],
  ])('%s', async (_, claims, expected) => {
    const session = {
      userId: sub,
      expiresAt: expect.any(Number),
      aal: undefined,
      signedInAt: undefined,
      ...expected,
    };
    expect(await hosted.verify(await project.token(key, { sub, ...claims }))).toStrictEqual(session);
  });

  it.each([
    'totp',
    'mfa/phone',
    'mfa/webauthn',
    'phone',
    'webauthn',
    'token_refresh',
    'email_change',
    'anonymous',
    'oauth_provider/authorization_code',
    'an unknown method',
  ])('%s alone does not count as a sign-in', async (method) => {
    const { signedInAt } = await hosted.verify(
      await project.token(key, { sub, amr: [{ method, timestamp: 9 }] }),
    );
    expect(signedInAt).toBeUndefined();
  });
});

describe('a token of the OAuth 2.1 server', () => {
  it.each([
    ['a program', 'b5e1f3c2-8a0e-4d5c-9f5e-2d6b6f7a8c9d'],
    ['nobody', null],
    ['nothing', ''],
  ])('that names %s in client_id -> oauth_token_rejected', async (_, client_id) => {
    for (const [verifier, token] of [
      [hs256, await accessToken({ sub, client_id })],
      [hosted, await project.token(key, { sub, client_id })],
    ] as const)
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'oauth_token_rejected' });
  });
});

describe('a key id', () => {
  it('in an HS256 token, as Auth servers write it -> accepted', async () => {
    const token = await new SignJWT(good)
      .setProtectedHeader({ alg: 'HS256', kid: 'legacy' })
      .sign(new TextEncoder().encode(inject('jwtSecret')));
    expect(await hs256.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
  });

  it('missing from an ES256 token -> accepted, if exactly one published key fits', async () => {
    expect(await hosted.verify(await project.token({ ...key, jwk: {} }, { sub }))).toEqual({
      userId: sub,
      expiresAt: expect.any(Number),
    });
  });
});

describe('two published keys of one algorithm', async () => {
  const keys = [key, await newSigningKey('ES256')] as const;
  const rotating = await newHostedProject(keys);
  const verifier = createVerifier(readSettings(rotating.settings));

  it.each([0, 1] as const)('and a key id -> verified by key %i', async (which) => {
    expect(await verifier.verify(await rotating.token(keys[which], { sub }))).toEqual({
      userId: sub,
      expiresAt: expect.any(Number),
    });
  });

  it('and no key id -> token_invalid: no key is tried', async () => {
    const token = await rotating.token({ ...key, jwk: {} }, { sub });
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
  });
});

describe('an issuer', () => {
  it('of this project, with a slash at the end of its URL -> accepted', async () => {
    const verifier = createVerifier(
      readSettings({ ...settings(), SUPABASE_URL: `${inject('supabaseUrl')}/ ` }),
    );
    const token = await accessToken({ sub, iss: `${inject('supabaseUrl')}/auth/v1` });
    expect(await verifier.verify(token)).toEqual({ userId: sub, expiresAt: expect.any(Number) });
  });

  it('that is missing, under HS256 -> accepted: only this project has the secret', async () => {
    expect(await hs256.verify(await accessToken({ sub }))).toEqual({
      userId: sub,
      expiresAt: expect.any(Number),
    });
  });

  it('that is missing, under ES256 -> rejected', async () => {
    await expect(hosted.verify(await project.token(key, { sub, iss: undefined }))).rejects.toMatchObject({
      code: 'token_invalid',
    });
  });

  it('of another project -> rejected, under either', async () => {
    const iss = 'https://other.supabase.co/auth/v1';
    for (const [verifier, token] of [
      [hs256, await accessToken({ sub, iss })],
      [hosted, await project.token(key, { sub, iss })],
    ] as const) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
    }
  });
});

describe('without settings', () => {
  const nothing = createVerifier(readSettings({}));
  it('any token -> auth_not_configured', async () => {
    await expect(nothing.verify(await accessToken({ sub }))).rejects.toMatchObject({
      code: 'auth_not_configured',
    });
    await expect(nothing.probe()).rejects.toMatchObject({ code: 'auth_not_configured' });
  });

  it('an HS256 token, if only keys are published -> token_invalid', async () => {
    await expect(hosted.verify(await accessToken({ sub }))).rejects.toMatchObject({ code: 'token_invalid' });
  });

  it('an ES256 token, if there is only a secret -> token_invalid', async () => {
    const verifier = createVerifier(readSettings({ SUPABASE_JWT_SECRET: inject('jwtSecret') }));
    await expect(verifier.verify(await project.token(key, { sub }))).rejects.toMatchObject({
      code: 'token_invalid',
    });
    expect(await verifier.verify(await accessToken({ sub }))).toEqual({
      userId: sub,
      expiresAt: expect.any(Number),
    });
  });
});
