/** Supabase access tokens: HS256 by secret, anything else by the project's published keys (JWKS). */
import {
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { Settings } from '../env.ts';
import { fetchWhole } from '../fetch-whole.ts';
import { Problem } from '../problem.ts';
import { TIME_LIMITS, type TimeLimits } from '../time-limits.ts';
import { signedInAt } from './signed-in-at.ts';
import { VerifiedTokens } from './verified-tokens.ts';

const ASYMMETRIC = ['ES256', 'RS256', 'EdDSA'];
const AUDIENCE = 'authenticated';
const CLOCK_TOLERANCE_SECONDS = 10;
const MAX_TOKEN_CHARACTERS = 8192;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Fetch on first use, keep for 10 minutes. When an unknown `kid` fetches anew is `publishedKeys`' to say. */
const JWKS_OPTIONS = { cacheMaxAge: 600_000, cooldownDuration: Infinity, [customFetch]: fetchKeySet };
const REFETCH_AFTER_MS = 30_000;
const MAX_KEY_SET_BYTES = 256 * 1024;

/** Who signed in, and how. */
export interface Session {
  readonly userId: string;
  /** `exp`: seconds since the epoch. */
  readonly expiresAt: number;
  /** Authenticator assurance level, as the Auth server found it: `aal2` is a second factor. */
  readonly aal: string | undefined;
  /** By a first factor, in seconds since the epoch. Refreshing a session or verifying a second factor does not change it. */
  readonly signedInAt: number | undefined;
}

export interface Verifier {
  /**
   * The session that the token was issued for.
   * @throws {Problem} token_invalid, token_expired, oauth_token_rejected, auth_not_configured, auth_unavailable
   */
  verify(token: string): Promise<Session>;
  /** @throws {Problem} auth_not_configured, auth_unavailable: no token could be verified now */
  probe(): Promise<void>;
}

export function createVerifier(settings: Settings, limits = TIME_LIMITS): Verifier {
  const issuer = settings.supabaseUrl && `${settings.supabaseUrl.href.replace(/\/$/, '')}/auth/v1`;
  const jwks = issuer
    ? createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
        ...JWKS_OPTIONS,
        timeoutDuration: limits.signingKeysMs,
      })
    : undefined;
  const verified = new VerifiedTokens();
  let fetched = false;
  const reload = async () => {
    await jwks?.reload();
    fetched = true;
    verified.clear();
  };
  const published = jwks && publishedKeys(jwks, reload, limits);
  const secret = settings.jwtSecret ? new TextEncoder().encode(settings.jwtSecret) : undefined;

  /** A secret never verifies an asymmetric token, nor a public key an HS256 one: the two never meet. */
  async function claims(token: string): Promise<JWTPayload> {
    const options = {
      audience: AUDIENCE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['sub', 'exp', 'role'],
    };
    if (decodeProtectedHeader(token).alg === 'HS256') {
      if (!secret) throw new Problem('token_invalid');
      const { payload } = await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] });
      // The embedded and some self-hosted Auth servers name no issuer; the secret is the project's own.
      if (payload.iss !== undefined && payload.iss !== issuer) throw new Problem('token_invalid');
      return payload;
    }
    if (!published || !issuer) throw new Problem('token_invalid');
    return (await jwtVerify(token, published, { ...options, algorithms: ASYMMETRIC, issuer })).payload;
  }

  return {
    async verify(token) {
      if (!jwks && !secret) throw new Problem('auth_not_configured');
      if (token.length > MAX_TOKEN_CHARACTERS) throw new Problem('token_invalid');
      // A published key may be withdrawn: what keys verified that are fetched again now is verified again.
      if (fetched && !jwks?.fresh) verified.clear();
      const payload = await verified
        .claimsOf(token, () => claims(token))
        .catch((error) => {
          if (error instanceof Problem) throw error;
          throw new Problem(error instanceof errors.JWTExpired ? 'token_expired' : 'token_invalid');
        });
      const { sub, role, iat = 0, exp = 0 } = payload;
      const issuedInFuture = iat > Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS;
      // Any other role, `service_role` before all, would be judged by other rules in the database.
      if (role !== AUDIENCE || issuedInFuture || typeof sub !== 'string' || !UUID.test(sub)) {
        throw new Problem('token_invalid');
      }
      // A token of the OAuth 2.1 server acts for another program, which the account allowed to know who it is. It has the
      // account's role and would otherwise have all of its rights. The database rejects it too: `private.caller_id`.
      if ('client_id' in payload) throw new Problem('oauth_token_rejected');
      const aal = typeof payload.aal === 'string' ? payload.aal : undefined;
      return { userId: sub, expiresAt: exp, aal, signedInAt: signedInAt(payload) };
    },
    async probe() {
      if (secret) return;
      if (!jwks) throw new Problem('auth_not_configured');
      if (jwks.fresh && jwks.jwks()?.keys.length) return;
      await reload().catch(() => {
        throw new Problem('auth_unavailable');
      });
      if (!jwks.jwks()?.keys.length) throw new Problem('auth_unavailable');
    },
  };
}

/** The key for a token; a key that is not there is the token's fault, a set that cannot be had is not. */
function publishedKeys(
  jwks: ReturnType<typeof createRemoteJWKSet>,
  reload: () => Promise<void>,
  { signingKeysMs, signingKeysRestMs }: TimeLimits,
): JWTVerifyGetKey {
  let askedAt = 0;
  /** While the Auth server fails, tokens do not ask it one by one: none asks before this, then one does. */
  let restsUntil = 0;

  async function find(...token: Parameters<JWTVerifyGetKey>) {
    if (jwks.fresh) restsUntil = 0;
    else await fetchFirst();
    try {
      return await jwks(...token);
    } catch (error) {
      const waited = Date.now() >= askedAt + REFETCH_AFTER_MS;
      if (!(error instanceof errors.JWKSNoMatchingKey && waited)) throw error;
    }
    // Noted before there is an answer: requests in workerd cannot wait for one fetch together, so that a burst of
    // unknown ids would make one each.
    askedAt = Date.now();
    await reload();
    return jwks(...token);
  }

  async function fetchFirst() {
    if (Date.now() < restsUntil) throw new Problem('auth_unavailable');
    askedAt = Date.now();
    // After a failure one asks for all, and the others do not wait for how it fares.
    if (restsUntil > 0) restsUntil = askedAt + signingKeysMs;
    try {
      await reload();
    } catch (error) {
      restsUntil = Date.now() + signingKeysRestMs * (1 + Math.random());
      throw error;
    }
  }

  return (...token) =>
    find(...token).catch((error) => {
      const tokensFault =
        error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
      throw tokensFault ? error : new Problem('auth_unavailable');
    });
}

async function fetchKeySet(url: string, init: RequestInit): Promise<Response> {
  const { status, text } = await fetchWhole(url, init, MAX_KEY_SET_BYTES);
  return new Response(text, { status: status === 200 ? 200 : 502 });
}
