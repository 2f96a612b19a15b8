/** What one request had of the database: for its log line. */
export class Tally {
  calls = 0;
  ms = 0;
  /** Of the first answer that names one. */
  clientId: string | undefined;

  /** Counts a call, and how long it took with whatever it waited for. */
  async count<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const startedAt = Date.now();
    try {
      const answer = await call();
      this.clientId ??= clientIdOf(answer);
      return answer;
    } finally {
      this.calls += 1;
      this.ms += Date.now() - startedAt;
    }
  }
}

function clientIdOf(answer: unknown): string | undefined {
  const id = typeof answer === 'object' && answer && 'client_id' in answer ? answer.client_id : undefined;
  return typeof id === 'string' ? id : undefined;
}
