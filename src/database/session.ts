/** A session that the edge has verified. Its calls run under its access token, so that row-level security decides. */
export interface Session {
  readonly token: string;
  /** The token's `exp`: seconds since the epoch. */
  readonly expiresAt: number;
}
