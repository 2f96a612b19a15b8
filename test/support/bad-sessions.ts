/** Every way in which a session can be invalid, as the `Authorization` header that carries it. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { ProblemCode } from '../../src/problem.ts';
import { accessToken, inSeconds, type TokenClaims } from './people.ts';

export interface BadSession {
  readonly how: string;
  readonly code: ProblemCode;
  readonly header: string | undefined;
}

/** A caller who would be admitted, except for the one invalid part. */
export async function badSessions(sub: string): Promise<BadSession[]> {
  const good = await accessToken({ sub });
  const [header = '', payload = '', signature = ''] = good.split('.');
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const asymmetric = (members: object) =>
    new SignJWT({ sub, role: 'authenticated', aud: 'authenticated', exp: inSeconds(3600) })
      .setProtectedHeader({ alg: 'ES256', ...members })
      .sign(privateKey);
  const encode = (value: object) => btoa(JSON.stringify(value)).replaceAll('=', '');
  const bent = async (how: string, claims: TokenClaims, secret?: string): Promise<BadSession> => ({
    how,
    code: 'token_invalid',
    header: `Bearer ${await accessToken({ sub, ...claims }, secret)}`,
  });
  const invalid = (how: string, value: string): BadSession => ({ how, code: 'token_invalid', header: value });

  return [
    { how: 'no token', code: 'authentication_required', header: undefined },
    {
      how: 'an expired token',
      code: 'token_expired',
      header: `Bearer ${await accessToken({ sub, exp: inSeconds(-60) })}`,
    },
    invalid('Basic credentials', `Basic ${btoa('admin:admin')}`),
    invalid('a valid token under another scheme', `Token ${good}`),
    invalid('a valid token without a scheme', good),
    invalid('two valid tokens', `Bearer ${good}, Bearer ${good}`),
    invalid('an empty header', ''),
    invalid('an empty bearer', 'Bearer '),
    invalid('garbage', 'Bearer garbage'),
    invalid('three garbage parts', 'Bearer a.b.c'),
    invalid('an API key', 'Bearer sb_publishable_x'),
    invalid('alg none and no signature', `Bearer ${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`),
    invalid('alg none and a valid signature', `Bearer ${encode({ alg: 'none' })}.${payload}.${signature}`),
    invalid('no alg', `Bearer ${encode({ typ: 'JWT' })}.${payload}.${signature}`),
    invalid('a truncated signature', `Bearer ${header}.${payload}.`),
    invalid(
      'a signature of another token',
      `Bearer ${header}.${payload}.${(await accessToken({ sub: 'x' })).split('.')[2]}`,
    ),
    invalid(
      'a changed payload',
      `Bearer ${header}.${encode({ ...JSON.parse(atob(payload)), role: 'service_role' })}.${signature}`,
    ),
    invalid('a key id that is not published', `Bearer ${await asymmetric({ kid: 'unknown' })}`),
    invalid('its own key in the header', `Bearer ${await asymmetric({ jwk: await exportJWK(publicKey) })}`),
    invalid('9 KiB', `Bearer ${await accessToken({ sub, padding: 'x'.repeat(9 * 1024) })}`),
    await bent('HS256 under another secret', {}, 'another-secret-of-a-sufficient-length'),
    await bent('another audience', { aud: 'anon' }),
    await bent('no audience', { aud: undefined }),
    await bent('no subject', { sub: undefined }),
    await bent('no expiry', { exp: undefined }),
    await bent('no role', { role: undefined }),
    await bent('the role service_role', { role: 'service_role' }),
    await bent('the role anon', { role: 'anon' }),
    await bent('the role postgres', { role: 'postgres' }),
    await bent('a subject that is not a UUID', { sub: 'admin' }),
    await bent('a subject that is a number', { sub: 1 }),
    await bent('a subject that is a list', { sub: [sub] }),
    await bent('a time of issue in the future', { iat: inSeconds(3600) }),
    await bent('a start in the future', { nbf: inSeconds(3600) }),
    await bent('another issuer', { iss: 'https://other.supabase.co/auth/v1' }),
  ];
}
