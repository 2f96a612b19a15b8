/** Which problem codes an operation can respond with. */
import { accessOf, type Declaration } from '../../auth/access.ts';
import { PROBLEM_CODES, type ProblemCode } from '../../problem.ts';

/** Of every operation that calls the database. */
const DATABASE: readonly ProblemCode[] = [
  'data_not_storable',
  'value_not_unique',
  'database_busy',
  'database_not_configured',
  'database_not_migrated',
  'database_read_only',
  'database_rejects_token',
  'database_unavailable',
  'publishable_key_rejected',
];

const SESSION: readonly ProblemCode[] = [
  'authentication_required',
  'token_expired',
  'token_invalid',
  'oauth_token_rejected',
  'session_required',
  'permission_denied',
  'auth_not_configured',
  'auth_unavailable',
  ...DATABASE,
];

const RUNNER: readonly ProblemCode[] = [
  'authentication_required',
  'token_invalid',
  'machine_token_required',
  ...DATABASE,
];

const KEY_CHANGE: readonly ProblemCode[] = [
  'sign_in_too_old',
  'second_factor_required',
  'step_up_settings_malformed',
];

const BODY: readonly ProblemCode[] = ['json_malformed', 'media_type_unsupported', 'validation_failed'];

const MASTER_KEY: readonly ProblemCode[] = [
  'master_key_missing',
  'master_key_malformed',
  'master_key_unavailable',
];

const EDGE_TOKEN: readonly ProblemCode[] = [
  'edge_token_missing',
  'edge_token_malformed',
  'edge_token_invalid',
];

/** For operations that open a key. */
export const OPENS_KEY: readonly ProblemCode[] = [...MASTER_KEY, ...EDGE_TOKEN];

/** What a request to sign can be rejected for, beside problems of the service. */
export const SIGNS: readonly ProblemCode[] = [
  'address_checksum_invalid',
  'address_malformed',
  'bot_key_missing',
  'bot_not_running',
  'chain_mismatch',
  'wallet_address_replaced',
  'wallet_key_changed',
  'key_decryption_failed',
  'message_malformed',
  'message_too_long',
  'policy_chain_denied',
  'policy_value_24h_exceeded',
  'policy_kind_denied',
  'policy_recipient_denied',
  'policy_value_exceeded',
  'transaction_malformed',
  'typed_data_malformed',
  'wallet_not_signer',
  'wallet_ambiguous',
];

/** For operations that take a private key and store it encrypted. */
export const STORES_KEY: readonly ProblemCode[] = [
  ...OPENS_KEY,
  'address_checksum_invalid',
  'address_malformed',
  'address_mismatch',
  'address_required',
  'address_taken',
  'chain_mismatch',
  'key_id_ended',
  'private_key_malformed',
  'private_key_halves_mismatch',
  'private_key_out_of_range',
  'private_key_wrong_length',
];

/** For operations that add a wallet to a bot. */
export const ADDS_WALLET: readonly ProblemCode[] = [
  ...STORES_KEY,
  'private_key_required',
  'wallet_exists',
  'wallet_limit_reached',
];

export interface DescribedRoute extends Declaration {
  readonly method: string;
  readonly request?: { readonly body?: unknown; readonly params?: unknown; readonly query?: unknown };
}

/** The codes of an operation, in the order of PROBLEM_CODES. */
export function problemsOf(route: DescribedRoute, own: readonly ProblemCode[]): readonly ProblemCode[] {
  const { access, subject, idempotencyKey, request = {} } = route;
  const { who, rate, stepUp } = accessOf(access, route.method.toUpperCase());
  const possible = new Set<ProblemCode>([
    'internal_error',
    ...own,
    ...(who === 'session' ? SESSION : []),
    ...(who === 'runner' ? RUNNER : []),
    ...(stepUp ? KEY_CHANGE : []),
    ...(request.body ? BODY : []),
    ...(subject ? (['resource_not_found'] as const) : []),
    ...(idempotencyKey ? (['idempotency_key_malformed'] as const) : []),
    ...(idempotencyKey === 'used' ? (['idempotency_key_reused'] as const) : []),
  ]);
  if (request.params || request.query) possible.add('validation_failed');
  // The size of the body is checked for every method except GET, even if the operation takes no body.
  if (route.method !== 'get') possible.add('body_too_large');
  // Operations without a rate limit still limit callers whose credential is not valid.
  if (rate !== 'never' || who !== 'anyone') possible.add('rate_limited');
  return PROBLEM_CODES.filter((code) => possible.has(code));
}
