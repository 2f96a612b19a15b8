import { base64url, type JWTPayload } from 'jose';

/** With their claims these take a megabyte. */
export const MOST_VERIFIED_TOKENS = 1000;

/**
 * The claims of verified tokens by the SHA-256 of the whole token, so that the next request of a session does not
 * verify the signature again. Tokens themselves are not stored. A token that has expired is verified again. When the
 * set of keys changes, the verifier calls `clear`.
 */
export class VerifiedTokens {
  #claims = new Map<string, JWTPayload>();

  async claimsOf(token: string, verify: () => Promise<JWTPayload>): Promise<JWTPayload> {
    const hash = await hashOf(token);
    const known = this.#claims.get(hash);
    if (known && (known.exp ?? 0) * 1000 > Date.now()) return known;
    // If `clear` runs meanwhile, these claims go into the old map, which is not read any more.
    const verified = this.#claims;
    const claims = await verify();
    verified.set(hash, claims);
    const [oldest] = verified.keys();
    if (verified.size > MOST_VERIFIED_TOKENS && oldest !== undefined) verified.delete(oldest);
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
