/** Writes `docs/reference/settings.md`. It does not compile if a setting of `src/env.ts` is missing here. */
import type { Bindings, RateLimiters } from '../../../src/env.ts';
import { code, heading, table } from './markdown.ts';

type Setting = keyof (Bindings & RateLimiters);
type Sort = 'secret' | 'variable' | 'binding';

const SETTINGS: Readonly<Record<Setting, readonly [Sort, needed: string, meaning: string]>> = {
  SUPABASE_URL: [
    'secret',
    'everything',
    'The URL of the Supabase project, such as `https://abc.supabase.co`. It is not secret; as a secret it stays out of the repository.',
  ],
  SUPABASE_PUBLISHABLE_KEY: [
    'secret',
    'everything',
    "The project's public API key, `sb_publishable_…`. Never a secret key or the service-role key.",
  ],
  ENCRYPTION_KEY: [
    'secret',
    'key changes, signing',
    'Master keys: base64 of 32 bytes each, separated by commas. The first one seals, all of them open. It can also be a binding of Cloudflare\'s Secrets Store (`[[secrets_store_secrets]]` with `binding = "ENCRYPTION_KEY"`). Generate one with `npm run --silent keys:generate`.',
  ],
  EDGE_TOKEN: [
    'secret',
    'key changes, signing',
    'The machine token of the scope `edge`. The database returns and stores envelopes only with it. Issue it with `npm run operator:token -- --scope edge`. To replace it, issue a second one, set it, and revoke the first.',
  ],
  MONITOR_TOKEN: [
    'secret',
    'the cron',
    'The machine token of the scope `monitor`, for the cron that watches bots and keeps the audit chains. Issue it with `npm run operator:token -- --scope monitor`.',
  ],
  REWRAP_TOKEN: [
    'secret',
    '',
    'The machine token of the scope `rewrap`. Set it only while the cron moves envelopes to a new master key, for a week at most. [How to rotate the master key](../how-to/rotate-the-master-key.md).',
  ],
  AUDIT_SIGNING_KEY: [
    'secret',
    '',
    'An Ed25519 seed, base64 of 32 bytes: signs checkpoints of the audit chains. Generate one with `npm run --silent audit:keys`.',
  ],
  AUDIT_PUBLIC_KEYS: [
    'variable',
    '',
    'Public keys of former audit keys, separated by commas, so that their checkpoints can still be verified.',
  ],
  REQUIRE_AAL2: [
    'variable',
    '',
    '`true`: key changes need a session with a second factor. `false` or unset: they do not. The database has the same setting in `private.settings`. With any other value, key changes respond 503 `step_up_settings_malformed`. [How to require a second factor](../how-to/require-a-second-factor.md).',
  ],
  MAX_SIGN_IN_AGE_SECONDS: [
    'variable',
    '',
    'The maximum age, in seconds, of the sign-in of a session that changes keys: a whole number from 1. Unset: no limit. The database has the same setting in `private.settings`.',
  ],
  SUPABASE_JWT_SECRET: [
    'secret',
    '',
    'Only if access tokens are signed with HS256 (the local stack, some self-hosted projects). Unset: the published keys of the project verify them. With this secret, an attacker can sign access tokens for every account: leave it unset in production.',
  ],
  RPC_URLS: [
    'secret',
    '`eth_sendTransaction` and read methods of `POST /bots/{id}/rpc`',
    'The node of each EVM chain: a JSON object such as `{"1": "https://…", "8453": "https://…"}`, or the list `1=https://…,8453=https://…`. Only `https:`; `http:` to this machine if `ENVIRONMENT` is `development`. No user and password in a URL. No response and no line of the log contains a URL. Unset: these methods return `rpc_node_missing`, and signing works.',
  ],
  RPC_FEE_CAPS: [
    'variable',
    '',
    'The highest fee that `eth_sendTransaction` fills in for a transaction without fees, in the form of `RPC_URLS`: chain ids and wei for each unit of gas, such as `{"1": "50000000000"}`. Unset: a transaction without fees is rejected with `rpc_fees_required`. Fees that the caller sends are not limited by it.',
  ],
  ALLOWED_ORIGINS: [
    'variable',
    '',
    'Exact origins of web pages that may call the API from a browser, separated by commas. Unset: none.',
  ],
  SECURITY_CONTACT: [
    'variable',
    '`GET /.well-known/security.txt`',
    'Where to report a vulnerability of this deployment: `mailto:` or `https:` URIs, separated by commas (RFC 9116). Unset: the path responds 404 `security_contact_missing`.',
  ],
  RATE_LIMIT_POLICY: [
    'variable',
    '',
    'The rate limits below, in the form of the header `RateLimit-Policy`. It only informs callers: change it together with the limits.',
  ],
  ENVIRONMENT: [
    'variable',
    '',
    '`development` adds the header `Server-Timing` to responses, and allows `http:` to this machine in `RPC_URLS`.',
  ],
  ASSETS: ['binding', '`GET /docs`, `GET /openapi.json`', 'The files of `public/`.'],
  READ_LIMIT: ['binding', '', 'Limits reads and heartbeats.'],
  CHANGE_LIMIT: ['binding', '', 'Limits changes by a session. Stopping and revoking are never limited.'],
  SIGN_LIMIT: ['binding', '', 'Limits signatures of a machine token.'],
  GUESS_LIMIT: ['binding', '', 'Limits unknown credentials of a network.'],
};

export const settingsPage = (): string => `${heading('Settings', '`tools/generate/reference/settings.ts`')}
Settings of the Worker. If a setting is missing or malformed, the Worker still starts, and \`GET /ready\` names the setting. Requests
that need the setting get a 503 with a [problem](problems.md) that says what to do. Stopping and revoking need only \`SUPABASE_URL\`
and \`SUPABASE_PUBLISHABLE_KEY\`.

- A *secret* is set with \`npx wrangler secret put NAME\`.
- A *variable* is a line of \`[vars]\` in \`wrangler.toml\`.
- A *binding* is a section of \`wrangler.toml\`. If a rate limit is not bound, it is not applied.

${table(
  ['setting', 'kind', 'needed for', 'meaning'],
  Object.entries(SETTINGS).map(([name, [sort, needed, meaning]]) => [code(name), sort, needed, meaning]),
)}

## On your machine: \`.dev.vars\`

\`npm run dev\` needs no settings: it generates the secrets of a local stack and stores them in \`.local/\`.

\`npx wrangler dev\` reads the settings from the file \`.dev.vars\`, one \`NAME=value\` a line. Git ignores it. Copy \`.dev.vars.example\`. Use it to run the Worker
against Supabase's own local stack ([how](local-stack.md#with-docker)) or against a hosted project.

## Settings of the database

The operator sets these with SQL. Nobody else can change them.

| row | columns | meaning |
| --- | --- | --- |
| \`private.settings\` | \`require_aal2\`, \`max_sign_in_age_seconds\` | the same values as the settings of these names above |
| \`private.monitor_settings\` | \`heartbeat_limit\` (2 minutes), \`key_age_limit\` (90 days), \`round_pause\` (10 seconds) | how old a sign of life and a key may be, and the pause between two rounds of the monitor |
`;
