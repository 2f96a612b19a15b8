import type { ProblemTexts } from './problem-text.ts';

/** Only `GET /ready` and the log of the cron job name these. They are never the response of another request. */
export const READINESS_PROBLEMS = {
  audit_key_missing: [
    503,
    'The audit key is not set, so audit checkpoints are not signed',
    'Operator: set AUDIT_SIGNING_KEY. "npm run audit:keys" creates one. Everything else works without it.',
  ],
  master_keys_incomplete: [
    503,
    'ENCRYPTION_KEY lacks the master key of some envelopes',
    'Operator: put the former master key back into ENCRYPTION_KEY, move its envelopes by "npm run keys:rewrap", and remove it when "npm run keys:status" counts none.',
  ],
  monitor_token_malformed: [
    503,
    'The monitor token is malformed, so the health monitor does not run and audit checkpoints are not signed',
    'Operator: MONITOR_TOKEN is not a machine token. Set it to the output of "npm run operator:token -- --scope monitor".',
  ],
  monitor_token_missing: [
    503,
    'The monitor token is not set, so the health monitor does not run and audit checkpoints are not signed',
    'Operator: set MONITOR_TOKEN to the output of "npm run operator:token -- --scope monitor".',
  ],
  rewrap_token_mismatch: [
    503,
    'The rewrap token was issued for another master key',
    'Operator: replace REWRAP_TOKEN by a token for the first master key in ENCRYPTION_KEY.',
  ],
  step_up_settings_mismatch: [
    503,
    'The Worker and the database have different settings for a second factor or a recent sign-in',
    'Operator: set REQUIRE_AAL2 and MAX_SIGN_IN_AGE_SECONDS to the values in the table private.settings.',
  ],
} as const satisfies ProblemTexts;
