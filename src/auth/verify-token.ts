/** Verifies access tokens of Supabase Auth: HS256 with the secret, other algorithms with the published keys (JWKS). */
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

/**
 * The keys are fetched on first use and kept for 10 minutes. `publishedKeys` decides when an unknown `kid` fetches them
 * again, because the cooldown of jose does not work in workerd: there each concurrent token makes its own fetch, and after
 * a failed fetch every token makes another one. Forged tokens could flood the Auth server in this way.
 */
const JWKS_OPTIONS = { cacheMaxAge: 600_000, cooldownDuration: Infinity, [customFetch]: fetchKeySet };
const REFETCH_AFTER_MS = 30_000;
const MAX_KEY_SET_BYTES = 256 * 1024;

export interface Session {
  readonly userId: string;
  /** `exp`: seconds since the epoch. */
  readonly expiresAt: number;
  /** Authenticator assurance level. `aal2` means that a second factor was verified in this session. */
  readonly aal: string | undefined;
  /** The last sign-in with a first factor, in seconds since the epoch. A refresh or a second factor does not change it. */
  readonly signedInAt: number | undefined;
}

export interface Verifier {
  /**
   * The session that the token was issued for.
   * @throws {Problem} token_invalid, token_expired, oauth_token_rejected, auth_not_configured, auth_unavailable
   */
  verify(token: string): Promise<Session>;
  /** Checks that tokens can be verified now. @throws {Problem} auth_not_configured, auth_unavailable */
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

  /** The secret only verifies HS256, and public keys never verify HS256 (RFC 8725, section 2.1). */
  async function claims(token: string): Promise<JWTPayload> {
    const options = {
      audience: AUDIENCE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['sub', 'exp', 'role'],
    };
    if (decodeProtectedHeader(token).alg === 'HS256') {
      if (!secret) throw new Problem('token_invalid');
      const { payload } = await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] });
      // The embedded and some self-hosted Auth servers do not set an issuer. Only this project has the secret.
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
      // A published key may be withdrawn. So when the keys have to be fetched again, tokens are verified again.
      if (fetched && !jwks?.fresh) verified.clear();
      const payload = await verified
        .claimsOf(token, () => claims(token))
        .catch((error) => {
          if (error instanceof Problem) throw error;
          throw new Problem(error instanceof errors.JWTExpired ? 'token_expired' : 'token_invalid');
        });
      const { sub, role, iat = 0, exp = 0 } = payload;
      const issuedInFuture = iat > Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS;
      // With any other role, above all `service_role`, other policies of the database would apply.
      if (role !== AUDIENCE || issuedInFuture || typeof sub !== 'string' || !UUID.test(sub)) {
        throw new Problem('token_invalid');
      }
      // A token of Supabase's OAuth 2.1 server belongs to a third-party program, which the user allowed to read its
      // identity. The token has the user's role, so without this check it would have all rights of the user. The database
      // rejects it too: `private.caller_id`.
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

/** Finds the key of a token. An unknown key is a fault of the token. A key set that cannot be fetched is not. */
function publishedKeys(
  jwks: ReturnType<typeof createRemoteJWKSet>,
  reload: () => Promise<void>,
  { signingKeysMs, signingKeysBackoffMs }: TimeLimits,
): JWTVerifyGetKey {
  let fetchedAt = 0;
  /** After a failed fetch, no token starts a fetch before this time. Then one token does. */
  let backoffUntil = 0;

  async function find(...token: Parameters<JWTVerifyGetKey>) {
    if (jwks.fresh) backoffUntil = 0;
    else await fetchFirst();
    try {
      return await jwks(...token);
    } catch (error) {
      const waited = Date.now() >= fetchedAt + REFETCH_AFTER_MS;
      if (!(error instanceof errors.JWKSNoMatchingKey && waited)) throw error;
    }
    // Set before the response arrives, because requests in workerd cannot share a fetch. Otherwise each token of a burst of
    // unknown key ids would start its own.
    fetchedAt = Date.now();
    await reload();
    return jwks(...token);
  }

  async function fetchFirst() {
    if (Date.now() < backoffUntil) throw new Problem('auth_unavailable');
    fetchedAt = Date.now();
    // After a failure one request fetches, and the others are rejected without waiting for it.
    if (backoffUntil > 0) backoffUntil = fetchedAt + signingKeysMs;
    try {
      await reload();
    } catch (error) {
      backoffUntil = Date.now() + signingKeysBackoffMs * (1 + Math.random());
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
