/** Every failure that this API reports, as RFC 9457 problems. The set of codes is closed, and a code never changes. */

/** Of a 503: seconds to wait before a retry (RFC 9110, section 10.2.3). Absent if only the operator can fix it. */
type RetryAfterSeconds = number;

const CATALOGUE = {
  // 400: the request cannot be read
  idempotency_key_malformed: [
    400,
    'The Idempotency-Key header is malformed',
    'Send one Idempotency-Key header with 1 to 255 visible ASCII characters and no spaces.',
  ],
  json_malformed: [400, 'The request body is not valid JSON', 'Send one JSON value, encoded in UTF-8.'],
  value_not_storable: [
    400,
    'The request contains a value that the database cannot store',
    'Check the length of texts, the range of numbers and the form of dates.',
  ],
  // 401: who is calling
  authentication_required: [
    401,
    'The request has no access token',
    'Send the header "Authorization: Bearer <token>": a Supabase access token, or a machine token (tk_…) for runner routes.',
  ],
  machine_token_required: [
    401,
    'This route needs a machine token, not a session',
    'Send a machine token (tk_…), which POST /bots/{id}/tokens issues.',
  ],
  session_required: [
    401,
    'This route needs a session, not a machine token',
    'Sign in with Supabase Auth and send the access token of the session.',
  ],
  sign_in_too_old: [
    401,
    'The last sign-in is too old for this request',
    'Sign in again and send the new access token. Refreshing the session is not enough.',
  ],
  token_expired: [401, 'The access token has expired', 'Refresh the session and send the new access token.'],
  token_invalid: [
    401,
    'The token is not valid',
    'Session: sign in again and send the new access token. Machine token: it is unknown, expired or revoked; issue another one by POST /bots/{id}/tokens.',
  ],
  // 403, 404: what the caller may do and see
  admin_required: [403, 'Only an admin may do this', 'Use the session of an admin of the platform.'],
  edge_required: [
    403,
    'Only the edge may store envelopes',
    'Send the private key to this API, which encrypts it. A session cannot write an envelope through the REST API of the database.',
  ],
  permission_denied: [
    403,
    'The account has no permission for this',
    'Sign in with an account that has the permission.',
  ],
  policy_chain_denied: [
    403,
    'The policy of the bot does not allow this chain',
    'Use a chain that is listed in chain_ids of GET /bots/{id}/policy, or change the policy.',
  ],
  policy_value_24h_exceeded: [
    403,
    'The transaction exceeds the value that the policy of the bot allows in 24 hours',
    'See max_value_24h of GET /bots/{id}/policy. Every transaction for which the key was released in the last 24 hours counts. A value that cannot be determined exceeds every limit.',
  ],
  policy_kind_denied: [
    403,
    'The policy of the bot does not allow this kind of signature',
    'See kinds of GET /bots/{id}/policy. If kinds is null and recipients, max_value or max_value_24h is set, only transactions are allowed.',
  ],
  policy_recipient_denied: [
    403,
    'The policy of the bot does not allow this recipient',
    'Every account that receives value and every contract or program that is called must be listed in recipients of GET /bots/{id}/policy.',
  ],
  policy_value_exceeded: [
    403,
    'The transaction exceeds the value that the policy of the bot allows',
    'See max_value of GET /bots/{id}/policy. A value that cannot be determined exceeds every limit. On Solana, list the programs that are called in recipients.',
  ],
  second_factor_required: [
    403,
    'This request requires a second factor',
    'Verify a second factor in this session (Supabase Auth MFA) and send the new access token. Stopping a bot and revoking a key or token never require it.',
  ],
  oauth_token_rejected: [
    403,
    'The access token was issued to another program',
    'Sign in to this project and send the access token of that session. Tokens of the OAuth 2.1 server are not accepted.',
  ],
  account_not_linked: [
    404,
    'The account of this session is not linked to a client',
    'Clients: ask an admin to link the account. Admins: use GET /clients and GET /clients/{id}.',
  ],
  resource_not_found: [
    404,
    'The resource does not exist or belongs to another client',
    'Check the ids in the path and in the body.',
  ],
  route_not_found: [404, 'The API has no such path', 'Check the path. GET /docs lists all routes.'],
  trading_key_missing: [
    404,
    'The client has no trading key',
    'Nothing needs to be revoked. To store a key, set up a bot with a private_key.',
  ],
  method_not_allowed: [
    405,
    'The path does not support this method',
    'Use a method that the Allow header of this response lists.',
  ],
  // 409: the request is valid and conflicts with the present state
  address_taken: [
    409,
    'The address belongs to another client',
    'Use another private key: an address belongs to one client.',
  ],
  bot_key_missing: [
    409,
    'The bot has no key',
    'Add a wallet by POST /bots/{id}/wallets. If the key was revoked, set up a bot with a new private_key.',
  ],
  bot_not_running: [
    409,
    'The bot is stopped',
    'Start it by POST /bots/{id}/start. A stopped bot signs nothing.',
  ],
  bot_limit_reached: [
    409,
    'The client has reached its limit of bots',
    'A client has at most 1,000 bots. Use a bot that exists.',
  ],
  value_taken: [
    409,
    'Another row already has this value',
    'Use another value. If a client already has a trading key, replace it by PUT /clients/{id}/rotate-key.',
  ],
  email_taken: [
    409,
    'Another client has this e-mail address',
    'Use another e-mail address, or use the client that exists.',
  ],
  idempotency_key_outdated: [
    409,
    'The key of the wallet has changed since the first request with this Idempotency-Key',
    'If you still want the signature, send the request with a new Idempotency-Key.',
  ],
  key_ended: [
    409,
    'This key id was rotated or revoked',
    'A key id that has ended cannot be stored again. Submit the private key as a new key: it gets a new key id.',
  ],
  token_limit_reached: [
    409,
    'The limit of machine tokens, or of bots for one token, is reached',
    'A bot has at most 50 machine tokens, a client 1,000, and a token signs for at most 100 bots. Revoke tokens that are no longer used.',
  ],
  private_key_required: [
    409,
    'The request has no private key, and the client has no trading key to copy',
    'Send private_key. It becomes the trading key of the client.',
  ],
  wallet_limit_reached: [
    409,
    'The bot or the client has reached its limit of wallets',
    'A bot has at most 100 wallets, a client 10,000.',
  ],
  wallet_exists: [
    409,
    'The bot already has a wallet with this address',
    'Use the wallet that exists: a bot has one wallet for each address.',
  ],
  wallet_ambiguous: [
    409,
    'The bot has several wallets',
    'Name one in the field wallet, by its id or its address.',
  ],
  // 413, 415, 422: the body
  body_too_large: [413, 'The request body is too large', 'A request body has at most 64 KiB.'],
  media_type_unsupported: [
    415,
    'The Content-Type of the request is not supported',
    'Send "Content-Type: application/json".',
  ],
  address_checksum_invalid: [
    422,
    'The address has an invalid checksum',
    'Check the address for a wrong character. Its upper and lower case letters must match EIP-55, or all letters must be lower case.',
  ],
  address_malformed: [
    422,
    'The address is malformed',
    'Send 0x and 40 hex digits (EVM), or base58 of 32 bytes (Solana).',
  ],
  address_mismatch: [
    422,
    'The address is not the address of the private key',
    'Leave address out, or send the address of this private key.',
  ],
  account_not_found: [
    422,
    'No account can be linked to the client',
    'link_account needs an account that has the e-mail address of the client, has confirmed it, is not managed by a single sign-on provider and is not linked to another client. Otherwise leave link_account out and invite the client.',
  ],
  bot_type_unknown: [
    422,
    'The bot type does not exist',
    'Use an id of bot_types of GET /clients/{id}/bot-options.',
  ],
  chain_mismatch: [
    422,
    'The key belongs to another chain family',
    'Use a key or wallet of the chain family that the request needs: evm or solana.',
  ],
  envelope_not_bound: [
    422,
    'The envelope belongs to another row',
    'An envelope is valid only with its own client, address, chain and key id.',
  ],
  idempotency_key_reused: [
    422,
    'The Idempotency-Key was used with another request',
    'Use a new Idempotency-Key for a new request. For 24 hours a key accepts only the same request, byte for byte.',
  ],
  message_malformed: [
    422,
    'The message cannot be signed',
    'Send message as a text, or as {"raw": "0x…"} with an even number of hex digits.',
  ],
  message_too_long: [422, 'The message is too long', 'A message has at most 32 KiB.'],
  private_key_malformed: [
    422,
    'The private key is malformed',
    'Send 64 hex digits (EVM), or base58 of 64 or 32 bytes or the JSON array of solana-keygen (Solana).',
  ],
  private_key_halves_mismatch: [
    422,
    'The two halves of the Solana private key do not match',
    'Check that the key is complete. Its second half must be the public key of its first half.',
  ],
  private_key_out_of_range: [
    422,
    'The private key is out of range',
    'Use another private key: no EVM account has this one. It must be at least 1 and less than the order of secp256k1.',
  ],
  private_key_wrong_length: [
    422,
    'The private key has the wrong length',
    'Check that the key is complete: 64 hex digits (EVM), or 64 or 32 bytes (Solana).',
  ],
  statement_too_large: [
    422,
    'The statement writes too many rows',
    'A statement at the REST API of the database writes at most 100 rows. Split it.',
  ],
  transaction_malformed: [
    422,
    'The transaction cannot be signed',
    'See errors for the field and the reason.',
  ],
  typed_data_malformed: [
    422,
    'The typed data cannot be signed',
    'Send typed data as for eth_signTypedData_v4 (EIP-712). See errors for the field and the reason.',
  ],
  validation_failed: [
    422,
    'A field or parameter of the request is not valid',
    'See errors: each entry names a field or parameter and what is wrong with it.',
  ],
  wallet_not_signer: [
    422,
    'The wallet is not a signer of this transaction',
    'Name the wallet that has to sign in the field wallet, or build the transaction from this wallet.',
  ],
  // 429: too much at once
  rate_limited: [
    429,
    'The caller sent too many requests',
    'Wait for the number of seconds in the Retry-After header.',
  ],
  // 5xx: what the operator has to fix
  internal_error: [
    500,
    'The service failed in an unexpected way',
    'Try again. If it persists, send request_id to the operator.',
  ],
  audit_key_malformed: [
    503,
    'Audit checkpoints can be neither signed nor verified',
    'Operator: AUDIT_SIGNING_KEY must be base64 of 32 bytes, and AUDIT_PUBLIC_KEYS a comma-separated list of public keys. "npm run audit:keys" creates both.',
  ],
  audit_key_missing: [
    503,
    'Audit checkpoints are not signed',
    'Operator: set AUDIT_SIGNING_KEY. "npm run audit:keys" creates one. Everything else works without it.',
  ],
  auth_not_configured: [
    503,
    'Access tokens cannot be verified',
    'Operator: set SUPABASE_URL, or SUPABASE_JWT_SECRET for HS256 tokens.',
  ],
  auth_unavailable: [
    503,
    'Access tokens cannot be verified at the moment',
    'The Auth server does not return its signing keys. Try again.',
    5,
  ],
  database_busy: [503, 'The database is busy with the same rows', 'Nothing was changed. Try again.', 1],
  database_not_configured: [
    503,
    'The database is not configured',
    'Operator: set SUPABASE_URL (https://…) and SUPABASE_PUBLISHABLE_KEY (sb_publishable_…). One of them is missing or malformed.',
  ],
  database_not_migrated: [
    503,
    'The database lacks tables or functions of this version',
    'Operator: run "supabase db push --remote".',
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
  database_unavailable: [503, 'The database does not respond', 'Try again.', 5],
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
    'The edge token is not set',
    'Operator: set EDGE_TOKEN to the output of "npm run operator:token -- --scope edge". Without it no key can be stored and nothing can be signed.',
  ],
  key_not_opened: [
    503,
    'The key cannot be decrypted',
    'Nothing was signed. Operator: no master key in ENCRYPTION_KEY sealed this envelope, or its row was changed.',
  ],
  master_key_dropped: [
    503,
    'No master key opens some of the envelopes',
    'Operator: put the former master key back into ENCRYPTION_KEY, move its envelopes by "npm run keys:rewrap", and remove it when "npm run keys:status" counts none.',
  ],
  master_key_malformed: [
    503,
    'Keys can be neither sealed nor opened',
    'Operator: ENCRYPTION_KEY must be a comma-separated list of base64 keys of 32 bytes.',
  ],
  master_key_missing: [
    503,
    'Keys can be neither sealed nor opened',
    'Operator: set ENCRYPTION_KEY, for example to the output of "openssl rand -base64 32".',
  ],
  master_key_unavailable: [
    503,
    'The master keys cannot be read at the moment',
    'The Secrets Store that ENCRYPTION_KEY is bound to does not respond. Try again.',
    5,
  ],
  monitor_token_malformed: [
    503,
    'The health monitor does not run: its token is malformed',
    'Operator: MONITOR_TOKEN is not a machine token. Set it to the output of "npm run operator:token -- --scope monitor".',
  ],
  monitor_token_missing: [
    503,
    'The health monitor does not run: its token is not set',
    'Operator: set MONITOR_TOKEN to the output of "npm run operator:token -- --scope monitor".',
  ],
  publishable_key_rejected: [
    503,
    'The database rejects the publishable key of the service',
    'Operator: SUPABASE_PUBLISHABLE_KEY must be a valid key of the project at SUPABASE_URL.',
  ],
  rewrap_token_mismatch: [
    503,
    'The rewrap token was issued for another master key',
    'Operator: issue a REWRAP_TOKEN for the first master key in ENCRYPTION_KEY.',
  ],
  step_up_settings_mismatch: [
    503,
    'The edge and the database require different sign-ins for key changes',
    'Operator: make REQUIRE_AAL2 and MAX_SIGN_IN_AGE_SECONDS equal to the row of private.settings.',
  ],
  step_up_settings_malformed: [
    503,
    'The settings of the sign-in that key changes require are malformed',
    'Operator: REQUIRE_AAL2 must be true or false, and MAX_SIGN_IN_AGE_SECONDS a whole number of at least 1. Stopping and revoking work.',
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
    // Resolved against the request, so that it opens wherever the API runs (RFC 9457, section 3.1.1).
    type: `/docs#problem-${problem.code}`,
    title,
    status,
    detail,
    request_id: requestId,
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
