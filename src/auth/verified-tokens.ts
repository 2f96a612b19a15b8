import { base64url, type JWTPayload } from 'jose';

/** With their claims these take a megabyte. */
export const MOST_VERIFIED_TOKENS = 1000;

/**
 * The claims of tokens whose signature was verified, by the SHA-256 of the whole token: the next request of a session
 * need not verify it again. The tokens themselves are not kept. What is answered has not expired, and was verified by
 * keys that stand still: who learns of other keys calls `clear`.
 */
export class VerifiedTokens {
  #claims = new Map<string, JWTPayload>();

  async claimsOf(token: string, verify: () => Promise<JWTPayload>): Promise<JWTPayload> {
    const hash = await hashOf(token);
    const known = this.#claims.get(hash);
    if (known && (known.exp ?? 0) * 1000 > Date.now()) return known;
    // Claims verified by keys that are let go meanwhile are put where nobody looks any more.
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
