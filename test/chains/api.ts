/** The bundled Worker, with a master key of its own. */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { recordText } from '../support/recorder.ts';
import { type RunningWorker, startWorker } from '../support/worker.ts';

export function startApi(more: Record<string, string> = {}): Promise<RunningWorker> {
  return startWorker({
    SUPABASE_URL: inject('supabaseUrl'),
    SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
    EDGE_TOKEN: inject('edgeToken'),
    SUPABASE_JWT_SECRET: inject('jwtSecret'),
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ...more,
  });
}

export async function stopApi({ harness }: RunningWorker): Promise<void> {
  for (const line of harness.getLogs()) recordText(JSON.stringify(line));
  await harness.close();
}
