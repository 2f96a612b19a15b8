/** The number and duration of the database calls of one request. The log line of the request has both. */
export class CallStats {
  calls = 0;
  ms = 0;
  /** From the first result that has a `client_id`. */
  clientId: string | undefined;

  /** Counts a call and its duration, with retries and pauses. */
  async measure<Result>(call: () => Promise<Result>): Promise<Result> {
    const startedAt = Date.now();
    try {
      const result = await call();
      this.clientId ??= clientIdOf(result);
      return result;
    } finally {
      this.calls += 1;
      this.ms += Date.now() - startedAt;
    }
  }
}

function clientIdOf(result: unknown): string | undefined {
  const id = typeof result === 'object' && result && 'client_id' in result ? result.client_id : undefined;
  return typeof id === 'string' ? id : undefined;
}
