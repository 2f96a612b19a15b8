import { base64url, type JWTPayload } from 'jose';

/** With their claims, they use about one megabyte. */
export const MAX_VERIFIED_TOKENS = 1000;

/**
 * Caches the claims of verified tokens by the SHA-256 of the whole token, so that the signature is not verified again for
 * each request. Tokens are not stored. Expired tokens are verified again, so that they are rejected. If the key set
 * changes, the verifier calls `clear`.
 */
export class VerifiedTokens {
  #claims = new Map<string, JWTPayload>();

  async claimsOf(token: string, verify: () => Promise<JWTPayload>): Promise<JWTPayload> {
    const hash = await hashOf(token);
    const known = this.#claims.get(hash);
    if (known && (known.exp ?? 0) * 1000 > Date.now()) return known;
    // If `clear` runs during the verification, the claims go into the old map, which is no longer read.
    const verified = this.#claims;
    const claims = await verify();
    verified.set(hash, claims);
    const [oldest] = verified.keys();
    if (verified.size > MAX_VERIFIED_TOKENS && oldest !== undefined) verified.delete(oldest);
    return claims;
  }

  clear(): void {
    this.#claims = new Map();
  }

  get size(): number {
    return this.#claims.size;
  }
}

async function hashOf(token: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  return base64url.encode(new Uint8Array(digest));
}
