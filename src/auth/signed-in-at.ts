import type { JWTPayload } from 'jose';

/**
 * The methods in `amr` that sign in to an account: a password, a code or link sent to the account, an identity provider, a
 * wallet, a passkey. Every other method is excluded, also one that a later version of Supabase Auth adds. `totp`,
 * `mfa/phone` and `mfa/webauthn` are excluded because the holder of a stolen session can enrol a second factor and verify
 * it at once. `token_refresh`, `email_change` and `anonymous` prove nothing. `private.signed_in_at` has the same list.
 */
export const FIRST_FACTORS: ReadonlySet<unknown> = new Set([
  'email/signup',
  'invite',
  'magiclink',
  'oauth',
  'otp',
  'passkey',
  'password',
  'recovery',
  'sso/saml',
  'web3',
]);

/**
 * The time of the last sign-in with a first factor, in seconds since the epoch. `auth_time` (OpenID Connect) can only make
 * a sign-in older, because an issuer may also set it for a second factor.
 */
export function signedInAt({ auth_time, amr }: JWTPayload): number | undefined {
  const authTime = typeof auth_time === 'number' ? auth_time : undefined;
  if (amr === undefined || amr === null) return authTime;
  const times = (Array.isArray(amr) ? amr : [])
    .filter((entry) => FIRST_FACTORS.has(entry?.method))
    .map((entry) => entry.timestamp)
    .filter((time) => typeof time === 'number');
  if (times.length === 0) return undefined;
  return Math.min(Math.max(...times), authTime ?? Infinity);
}
