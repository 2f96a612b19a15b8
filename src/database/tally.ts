/** What one request, or one run of the cron, had of the database: for its log line. */
export interface Tally {
  calls: number;
  ms: number;
  /** Of the first answer that names one. */
  clientId: string | undefined;
}

export const newTally = (): Tally => ({ calls: 0, ms: 0, clientId: undefined });

/** Counts a call, and how long it took with whatever it waited for. */
export async function counted<Answer>(tally: Tally | undefined, call: () => Promise<Answer>): Promise<Answer> {
  if (!tally) return call();
  const startedAt = Date.now();
  tally.calls += 1;
  try {
    const answer = await call();
    tally.clientId ??= clientIdOf(answer);
    return answer;
  } finally {
    tally.ms += Date.now() - startedAt;
  }
}

function clientIdOf(answer: unknown): string | undefined {
  const id = typeof answer === 'object' && answer && 'client_id' in answer ? answer.client_id : undefined;
  return typeof id === 'string' ? id : undefined;
}
