/** While REWRAP_TOKEN is set, each run moves some envelopes to the first master key, until none is left. */
import { log } from '../log.ts';
import { isMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';
import { rewrapKeys } from '../services/rewrap.ts';
import type { Job } from './job.ts';

/** A run makes about 50 calls to the database, which every plan of Workers allows. */
const BATCH = 50;
const LIMIT = 1_000;
const TIME_LIMIT_MS = 30_000;
/** At most this many envelopes that do not open are logged one by one. All of them are counted. */
const MAX_LISTED = 20;

export const rewrap: Job = {
  name: 'rewrap',
  async run(runtime, requestId) {
    const token = runtime.settings.rewrapToken;
    if (token === undefined) return undefined;
    if (!isMachineToken(token)) throw new Problem('token_invalid');
    const store = runtime.database().asRewrapper({ token, requestId });
    // Read first, so that the database returns no envelope if the master keys cannot be read.
    const keyring = await runtime.keyring();
    const until = Date.now() + TIME_LIMIT_MS;
    let named = 0;
    const { complete: _, ...counts } = await rewrapKeys(store, keyring, {
      batch: BATCH,
      limit: LIMIT,
      shouldContinue: () => Date.now() < until,
      onNotOpened({ client_id, key_id }) {
        named += 1;
        if (named > MAX_LISTED) return;
        log({ event: 'rewrap_not_opened', level: 'error', request_id: requestId, client_id, key_id });
      },
    });
    return counts;
  },
};
