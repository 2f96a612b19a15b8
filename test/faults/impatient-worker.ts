/** The Worker with short time limits, so that tests need not wait for the real ones. */
import { createApp } from '../../src/app.ts';

const app = createApp({
  callMs: 3_000,
  pauseMs: 20,
  rejectedPauseMs: 100,
  probeMs: 1_000,
  signingKeysMs: 1_000,
  signingKeysBackoffMs: 200,
  nodeMs: 1_000,
});

export default { fetch: app.fetch };
