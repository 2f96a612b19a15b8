import type { ProblemTexts } from './problem-text.ts';

/** The dependencies and settings of the service. The caller is not at fault. */
export const SERVICE_PROBLEMS = {
  audit_key_malformed: [
    503,
    'The audit key is malformed',
    'Operator: AUDIT_SIGNING_KEY must be base64 of 32 random bytes, and AUDIT_PUBLIC_KEYS a comma-separated list of public keys. "npm run audit:keys" creates both.',
  ],
  auth_not_configured: [
    503,
    'The settings that verify access tokens are not set',
    'Operator: set SUPABASE_URL, or SUPABASE_JWT_SECRET for HS256 tokens.',
  ],
  auth_unavailable: [
    503,
    'The Auth server does not return its signing keys',
    'Access tokens cannot be verified at the moment. Try again.',
    5,
  ],
  database_busy: [
    503,
    'The database could not finish the request in time',
    'Nothing was changed: other requests hold the locks or connections. Try again.',
    1,
  ],
  database_not_configured: [
    503,
    'The settings of the database are missing or malformed',
    'Operator: set SUPABASE_URL (https://…) and SUPABASE_PUBLISHABLE_KEY (sb_publishable_…), and check the path in SUPABASE_URL.',
  ],
  database_not_migrated: [
    503,
    'Tables, functions or grants of this version are missing in the database',
    'Operator: run "supabase db push --remote". If no migration is missing, reload the schema cache of PostgREST and check that it exposes the schema public.',
  ],
  database_read_only: [
    503,
    'The database accepts no changes',
    'Nothing was changed. Operator: the disk is full, the project is in read-only mode, or the database is a standby.',
  ],
  database_rejects_token: [
    503,
    'The database rejects a valid access token',
    'Nothing was changed. Try again, then with a new access token. Operator: if it persists, the clocks of Auth and database differ, or SUPABASE_JWT_SECRET is of another project.',
    2,
  ],
  database_unavailable: [
    503,
    'The database does not respond, or its response is not valid',
    'It is not known whether the change was made. Try again with the same Idempotency-Key. Operator: if it persists, check that the project is not paused.',
    5,
  ],
  edge_token_invalid: [
    503,
    'The database rejects the edge token',
    'Operator: EDGE_TOKEN is unknown to this database, has expired or was revoked. Set it to the output of "npm run operator:token -- --scope edge".',
  ],
  edge_token_malformed: [
    503,
    'The edge token is malformed',
    'Operator: EDGE_TOKEN is not a machine token. Set it to the output of "npm run operator:token -- --scope edge".',
  ],
  edge_token_missing: [
    503,
    'The edge token is not set',
    'Operator: set EDGE_TOKEN to the output of "npm run operator:token -- --scope edge". Without it no key can be stored and nothing can be signed. Stopping and revoking still work.',
  ],
  master_key_malformed: [
    503,
    'The master keys are malformed',
    'Operator: ENCRYPTION_KEY must be a comma-separated list of different keys, each padded base64 of 32 random bytes. Until then no key can be stored and nothing can be signed.',
  ],
  master_key_missing: [
    503,
    'The master key is not set',
    'Operator: set ENCRYPTION_KEY, for example to the output of "openssl rand -base64 32". Without it no key can be stored and nothing can be signed.',
  ],
  master_key_unavailable: [
    503,
    'The master keys cannot be read at the moment',
    'The Secrets Store that ENCRYPTION_KEY is bound to does not respond. Try again.',
    5,
  ],
  publishable_key_rejected: [
    503,
    'The database rejects the publishable key of the service',
    'Operator: SUPABASE_PUBLISHABLE_KEY must be a valid key of the project at SUPABASE_URL.',
  ],
  step_up_settings_malformed: [
    503,
    'REQUIRE_AAL2 or MAX_SIGN_IN_AGE_SECONDS is malformed',
    'Operator: REQUIRE_AAL2 must be true or false, and MAX_SIGN_IN_AGE_SECONDS a whole number of at least 1. Until then, requests that may require a second factor are rejected. Stopping and revoking work.',
  ],
} as const satisfies ProblemTexts;
