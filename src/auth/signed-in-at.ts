import type { JWTPayload } from 'jose';

/**
 * The methods in `amr` by which Supabase Auth lets somebody into an account: a password, a code or link sent to the account,
 * an identity provider, a wallet, a passkey. Every other method is excluded, also one that a later version adds. `totp`,
 * `mfa/phone` and `mfa/webauthn` are second factors: whoever has a session can enrol one and verify it at once.
 * `token_refresh`, `email_change` and `anonymous` prove nothing. `private.signed_in_at` has the same list.
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
 * When the account last proved itself by a first factor, in seconds since the epoch. `auth_time` (OpenID Connect) can only
 * make a sign-in older: what an issuer counts as an authentication is not known here.
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
