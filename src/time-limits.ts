/** How long the service waits for what it depends on. Not settings: no deployment was found that needs others. */
export interface TimeLimits {
  /** A call of the database, both attempts and the pause between them. Hosted projects end a statement after 8 s. */
  readonly callMs: number;
  /** The pause before a second attempt, give or take half of it. */
  readonly pauseMs: number;
  /** The same where a valid token or the API key was rejected: clocks that differ by a second agree after it. */
  readonly rejectedPauseMs: number;
  /** A look at the database for `GET /ready`. */
  readonly probeMs: number;
  /** The Auth server's answer with its published keys. */
  readonly signingKeysMs: number;
  /** Who failed to get them waits this long before another fetch, up to twice as long. */
  readonly signingKeysBackoffMs: number;
}

export const TIME_LIMITS: TimeLimits = {
  callMs: 10_000,
  pauseMs: 100,
  rejectedPauseMs: 1_000,
  probeMs: 3_000,
  signingKeysMs: 3_000,
  signingKeysBackoffMs: 1_000,
};
