/** How long the service waits for its dependencies. These are not settings, because no deployment needed other values. */
export interface TimeLimits {
  /** A database call: both attempts and the pause between them. Hosted projects end a statement after 8 s. */
  readonly callMs: number;
  /** The pause before a second attempt, randomly up to 50 % shorter or longer. */
  readonly pauseMs: number;
  /** The additional pause if a valid token or the API key was rejected. It is enough for clocks that differ by a second. */
  readonly rejectedPauseMs: number;
  /** A database call of `GET /ready`. */
  readonly probeMs: number;
  /** Fetching the published keys of the Auth server. */
  readonly signingKeysMs: number;
  /** The pause after such a fetch has failed, randomly up to twice as long. */
  readonly signingKeysBackoffMs: number;
  /** A call of an EVM node. */
  readonly nodeMs: number;
}

export const TIME_LIMITS: TimeLimits = {
  callMs: 10_000,
  pauseMs: 100,
  rejectedPauseMs: 1_000,
  probeMs: 3_000,
  signingKeysMs: 3_000,
  signingKeysBackoffMs: 1_000,
  nodeMs: 10_000,
};
