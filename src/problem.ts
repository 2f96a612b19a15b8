/** Everything that this API refuses or cannot do, as RFC 9457 problems. Codes are a closed set and never change. */

/** Of a 503: after how many seconds to retry (RFC 9110, section 10.2.3). None where only the operator can end it. */
type RetryAfterSeconds = number;

const CATALOGUE = {
  // 400: the request cannot be read
  idempotency_key_malformed: [
    400,
    'The Idempotency-Key is malformed',
    'Send 1 to 255 visible ASCII characters without spaces, and one such header.',
  ],
  json_malformed: [400, 'The body is not JSON', 'Send one JSON value in UTF-8.'],
  value_not_storable: [400, 'The request cannot be carried out', 'A value in it cannot be stored.'],
  // 401: who is calling
  authentication_required: [
    401,
    'Sign in first',
    'Send "Authorization: Bearer" and a Supabase access token; runners send a machine token.',
  ],
  sign_in_too_old: [
    401,
    'The sign-in is too long ago for this',
    'Sign in again, not only refresh the session, and send the new access token.',
  ],
  token_expired: [401, 'The access token has expired', 'Refresh the session and try again.'],
  token_invalid: [
    401,
    'The access token is not valid',
    'Sign in again and send the new access token. Runners: the machine token is unknown, expired or revoked.',
  ],
  // 403, 404: what the caller may do and see
  admin_required: [403, 'Only an admin may do this', 'Ask an admin of the platform.'],
  edge_required: [
    403,
    'Only the edge stores envelopes',
    'Send the private key to this API, which seals it. The REST API of the database takes no envelope from a session.',
  ],
  permission_denied: [
    403,
    'The database refuses this to the caller',
    'Sign in with an account that may do it.',
  ],
  policy_chain_denied: [403, 'The policy of the bot does not allow this chain', 'See GET /bots/{id}/policy.'],
  policy_value_24h_exceeded: [
    403,
    'The policy of the bot does not allow this value today',
    'See max_value_24h of GET /bots/{id}/policy; what was released in the last 24 hours counts.',
  ],
  policy_kind_denied: [
    403,
    'The policy of the bot does not allow this kind of signing',
    'See GET /bots/{id}/policy.',
  ],
  policy_recipient_denied: [
    403,
    'The policy of the bot does not allow this recipient',
    'Every account that is paid and every contract or program that is called has to be among recipients of GET /bots/{id}/policy.',
  ],
  policy_value_exceeded: [
    403,
    'The policy of the bot does not allow this value',
    'See max_value of GET /bots/{id}/policy. On Solana, called programs have to be among its recipients.',
  ],
  second_factor_required: [
    403,
    'This takes a second factor',
    'Verify a second factor in this session (Supabase Auth MFA) and send the new access token. Stopping and revoking take none.',
  ],
  oauth_token_rejected: [
    403,
    'The access token was issued to another program',
    'Sign in to this project and send the access token of that session. Tokens of the OAuth 2.1 server are not accepted.',
  ],
  resource_not_found: [404, 'Not found', 'There is no such thing, or it is not yours.'],
  trading_key_missing: [404, 'The client has no trading key', 'Set up a bot with a private key first.'],
  method_not_allowed: [405, 'The path has other methods', 'See the header Allow.'],
  // 409: the request is right and the state of things is against it
  address_taken: [409, 'The address belongs to another client', 'A key is held for one client at a time.'],
  bot_key_missing: [409, 'The bot has no key', 'Put in a key first: a bot without one cannot run.'],
  bot_not_running: [409, 'The bot does not run', 'Start it first: a stopped bot signs nothing.'],
  bot_limit_reached: [
    409,
    'The client has as many bots as a client can have',
    'A client has at most 1,000 bots.',
  ],
  value_taken: [409, 'Something else has this value', 'Use another value.'],
  email_taken: [409, 'A client with this e-mail exists', 'Use another e-mail, or the client that exists.'],
  idempotency_key_outdated: [
    409,
    'The wallet has another key by now',
    'It was rotated since this was first signed. Sign with a new Idempotency-Key if it is still wanted.',
  ],
  key_ended: [
    409,
    'The key id has ended',
    'A rotated or revoked key is not held again. Submit the private key: it gets a new key id.',
  ],
  token_limit_reached: [
    409,
    'The bot, the client or the token is at its limit',
    'A bot has at most 50 machine tokens, a client 1,000, and a token signs for at most 100 bots. Revoke tokens that are no longer used.',
  ],
  private_key_required: [
    409,
    'The client has no trading key',
    'Send a private key: it becomes the trading key.',
  ],
  wallet_limit_reached: [
    409,
    'The bot or the client has as many wallets as one can have',
    'A bot has at most 100 wallets, a client 10,000.',
  ],
  wallet_exists: [409, 'The bot has a wallet with this address', 'A bot holds an address once.'],
  wallet_ambiguous: [409, 'The bot has several wallets', 'Name one in wallet, by its id or its address.'],
  // 413, 415, 422: the body
  body_too_large: [413, 'The body is too large', 'A body has at most 64 KiB.'],
  media_type_unsupported: [415, 'The body is not JSON', 'Send "Content-Type: application/json".'],
  address_checksum_invalid: [
    422,
    'The address has a wrong checksum',
    'Its capital letters do not fit (EIP-55): a character may be wrong.',
  ],
  address_malformed: [
    422,
    'The address is malformed',
    'Send 0x and 40 hex digits (EVM), or base58 of 32 bytes (Solana).',
  ],
  address_mismatch: [
    422,
    'The address does not fit the key',
    'Leave the address out, or send the one of this private key.',
  ],
  account_not_found: [
    422,
    'There is no account to link to the client',
    'link_account needs an account with a confirmed e-mail that is the e-mail of the client, that no single sign-on provider manages and that is linked to no client. Leave link_account out and invite the client.',
  ],
  bot_type_unknown: [422, 'There is no such bot type', 'See GET /clients/{id}/bot-options.'],
  chain_mismatch: [422, 'The key is of another chain family', 'Send a key of the chain that is asked for.'],
  envelope_not_bound: [
    422,
    'The envelope belongs to another row',
    'An envelope stays with its client, address and key id.',
  ],
  idempotency_key_reused: [
    422,
    'The Idempotency-Key was used for another request',
    'A key stands for one request, to the byte, for 24 hours. Send a new one.',
  ],
  message_malformed: [
    422,
    'The message cannot be signed',
    'Send a text, or {"raw": "0x…"} with whole bytes.',
  ],
  message_too_long: [422, 'The message is too long', 'A message has at most 32 KiB.'],
  private_key_malformed: [
    422,
    'The private key is malformed',
    'Send 64 hex digits (EVM), or base58 of 64 or 32 bytes or the JSON array of solana-keygen (Solana).',
  ],
  private_key_halves_mismatch: [
    422,
    'The two halves of the private key do not fit',
    'A part of the Solana key may be wrong.',
  ],
  private_key_out_of_range: [422, 'The private key is out of range', 'No EVM account has this key.'],
  private_key_wrong_length: [422, 'The private key has a wrong length', 'A part may be missing.'],
  statement_too_large: [
    422,
    'The statement writes too many rows',
    'A statement at the REST API writes at most 100 rows. Send several.',
  ],
  transaction_malformed: [422, 'The transaction cannot be signed', 'See errors for the field.'],
  typed_data_malformed: [
    422,
    'The typed data cannot be signed',
    'See errors; it has to be as for eth_signTypedData_v4.',
  ],
  validation_failed: [422, 'The request does not fit its schema', 'See errors.'],
  wallet_not_signer: [
    422,
    'The wallet is not who has to sign this',
    'A transaction from another account was sent: name the right wallet, or make it from this one.',
  ],
  // 429: too much at once
  rate_limited: [429, 'Too many requests', 'Wait as long as Retry-After says.'],
  // 5xx: what the operator has to mend
  internal_error: [500, 'Something went wrong', 'Try again; if it stays, give the operator the request id.'],
  audit_key_malformed: [
    503,
    'Audit checkpoints cannot be signed or verified',
    'Operator: AUDIT_SIGNING_KEY has to be base64 of 32 bytes, AUDIT_PUBLIC_KEYS a comma-separated list of public keys; "npm run audit:keys" makes them.',
  ],
  audit_key_missing: [
    503,
    'Audit checkpoints are not signed',
    'Operator: set AUDIT_SIGNING_KEY; "npm run audit:keys" makes one. Nothing else needs it.',
  ],
  auth_not_configured: [
    503,
    'Access tokens cannot be verified',
    'Operator: set SUPABASE_URL, or SUPABASE_JWT_SECRET for HS256 tokens.',
  ],
  auth_unavailable: [
    503,
    'Access tokens cannot be verified now',
    'The Auth server does not give its signing keys. Try again soon.',
    5,
  ],
  database_busy: [503, 'The database was busy with the same rows', 'Nothing was changed. Try again.', 1],
  database_not_configured: [
    503,
    'There is no database',
    'Operator: set SUPABASE_URL (https://…) and SUPABASE_PUBLISHABLE_KEY (sb_publishable_…).',
  ],
  database_not_migrated: [503, 'The database lacks its tables', 'Operator: run "supabase db push --remote".'],
  database_read_only: [
    503,
    'The database accepts no changes',
    'Nothing was changed. Operator: the disk is full, or the project is in read-only mode or a standby.',
  ],
  database_rejects_token: [
    503,
    'The database rejects a valid token',
    'Nothing was changed. Try again, then with a new access token. Operator, if it lasts: the clocks of Auth and database differ, or SUPABASE_JWT_SECRET is of another project.',
    2,
  ],
  database_unavailable: [503, 'The database does not answer', 'Try again soon.', 5],
  edge_token_invalid: [
    503,
    'The database rejects the edge token',
    'Operator: EDGE_TOKEN has expired or was revoked. Set it to the output of "npm run operator:token -- --scope edge".',
  ],
  edge_token_malformed: [
    503,
    'The edge token is malformed',
    'Operator: EDGE_TOKEN is not a machine token. Set it to the output of "npm run operator:token -- --scope edge".',
  ],
  edge_token_missing: [
    503,
    'The edge token is missing',
    'Operator: set EDGE_TOKEN to the output of "npm run operator:token -- --scope edge". Without it no key is stored and nothing is signed.',
  ],
  key_not_opened: [
    503,
    'The key cannot be opened',
    'Operator: no master key in ENCRYPTION_KEY sealed it, or its row was tampered with. Nothing was signed.',
  ],
  master_key_dropped: [
    503,
    'Envelopes are left that no master key opens',
    'Operator: put the dropped key back into ENCRYPTION_KEY, move what it sealed by "npm run keys:rewrap", and drop it when "npm run keys:status" counts none.',
  ],
  master_key_malformed: [
    503,
    'Keys cannot be sealed or opened',
    'Operator: ENCRYPTION_KEY has to be a comma-separated list of base64 keys of 32 bytes.',
  ],
  master_key_missing: [
    503,
    'Keys cannot be sealed or opened',
    'Operator: set ENCRYPTION_KEY, for example to the output of "openssl rand -base64 32".',
  ],
  master_key_unavailable: [
    503,
    'The master keys cannot be read now',
    'The Secrets Store that ENCRYPTION_KEY is bound to does not give it. Try again soon.',
    5,
  ],
  monitor_token_malformed: [
    503,
    'The health monitor does not run',
    'Operator: MONITOR_TOKEN is no machine token. Set it to the output of "npm run operator:token -- --scope monitor".',
  ],
  monitor_token_missing: [
    503,
    'The health monitor does not run',
    'Operator: set MONITOR_TOKEN to the output of "npm run operator:token -- --scope monitor".',
  ],
  publishable_key_rejected: [
    503,
    'The database rejects the API key of the service',
    'Operator: SUPABASE_PUBLISHABLE_KEY has to be a valid key of the project at SUPABASE_URL.',
  ],
  rewrap_token_mismatch: [
    503,
    'Envelopes cannot be moved with this token',
    'Operator: REWRAP_TOKEN is for another master key than the first of ENCRYPTION_KEY. Issue one for that.',
  ],
  step_up_settings_mismatch: [
    503,
    'The edge and the database ask different things of who changes keys',
    'Operator: make REQUIRE_AAL2 and MAX_SIGN_IN_AGE_SECONDS and the row of private.settings the same.',
  ],
  step_up_settings_malformed: [
    503,
    'The required sign-in for key changes cannot be read',
    'Stopping and revoking work. Operator: REQUIRE_AAL2 has to be true or false, MAX_SIGN_IN_AGE_SECONDS a whole number from 1.',
  ],
} as const satisfies Record<
  string,
  readonly [status: number, title: string, detail: string, retryAfter?: RetryAfterSeconds]
>;

export type ProblemCode = keyof typeof CATALOGUE;
export const PROBLEM_CODES = Object.keys(CATALOGUE) as [ProblemCode, ...ProblemCode[]];

/** One thing wrong with the request: where (RFC 6901 pointer into the body, or a parameter's name) and what. */
export interface ProblemPart {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly code: string;
  readonly detail: string;
}

/** What any part of the service throws to refuse. Nothing of the request may stand in it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly ProblemPart[];
  /** Sent along, in place of what a status sends by itself. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    errors: readonly ProblemPart[] = [],
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code);
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }

  get status() {
    return CATALOGUE[this.code][0];
  }

  /** What to do about it. */
  get remedy(): string {
    return CATALOGUE[this.code][2];
  }
}

/** With its optional part, which the literal types of most entries lack. */
function entryOf(code: ProblemCode): readonly [number, string, string, RetryAfterSeconds?] {
  return CATALOGUE[code];
}

export function isProblemCode(text: unknown): text is ProblemCode {
  return typeof text === 'string' && Object.hasOwn(CATALOGUE, text);
}

/** The one way out: a problem as `application/problem+json`. */
export function problemResponse(
  problem: Problem,
  requestId: string,
  headers: Record<string, string> = {},
): Response {
  const [status, title, detail, retryAfter] = entryOf(problem.code);
  const body = {
    type: `urn:trading-keys:problem:${problem.code}`,
    title,
    status,
    detail,
    instance: requestId,
    code: problem.code,
    ...(problem.errors.length > 0 && { errors: problem.errors }),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'x-request-id': requestId,
      ...((status === 401 || problem.code === 'second_factor_required') && {
        'www-authenticate': challenge(problem.code),
      }),
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      ...problem.headers,
      ...headers,
    },
  });
}

/** RFC 6750, section 3: no error code where no token was sent. RFC 9470, section 3: what the token lacks. */
function challenge(code: ProblemCode): string {
  const realm = 'Bearer realm="trading-keys"';
  switch (code) {
    case 'authentication_required':
      return realm;
    case 'second_factor_required':
      return stepUpChallenge({ requireAal2: true });
    case 'sign_in_too_old':
      return stepUpChallenge({});
    default:
      return `${realm}, error="invalid_token"`;
  }
}

/** RFC 9470, section 3: which sign-in would do. */
export function stepUpChallenge(asked: { requireAal2?: boolean; maxSignInAgeSeconds?: number | undefined }) {
  return [
    'Bearer realm="trading-keys", error="insufficient_user_authentication"',
    ...(asked.requireAal2 ? ['acr_values="aal2"'] : []),
    ...(asked.maxSignInAgeSeconds === undefined ? [] : [`max_age="${asked.maxSignInAgeSeconds}"`]),
  ].join(', ');
}
