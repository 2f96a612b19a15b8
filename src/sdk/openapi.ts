/** Written by `npm run openapi` from the schemas of the API. Do not edit: a test compares it. */

/**
 * The set is closed, and the meaning of a code never changes.
 */
export type ProblemCode =
  | 'idempotency_key_malformed'
  | 'json_malformed'
  | 'data_not_storable'
  | 'authentication_required'
  | 'machine_token_required'
  | 'session_required'
  | 'sign_in_too_old'
  | 'token_expired'
  | 'token_invalid'
  | 'oauth_token_rejected'
  | 'second_factor_required'
  | 'admin_required'
  | 'permission_denied'
  | 'policy_chain_denied'
  | 'policy_kind_denied'
  | 'policy_recipient_denied'
  | 'policy_value_24h_exceeded'
  | 'policy_value_exceeded'
  | 'envelope_write_denied'
  | 'route_not_found'
  | 'account_not_linked'
  | 'security_contact_missing'
  | 'resource_not_found'
  | 'trading_key_missing'
  | 'method_not_allowed'
  | 'bot_limit_reached'
  | 'email_taken'
  | 'token_limit_reached'
  | 'value_not_unique'
  | 'wallet_exists'
  | 'wallet_limit_reached'
  | 'address_taken'
  | 'key_id_ended'
  | 'private_key_required'
  | 'bot_key_missing'
  | 'bot_not_running'
  | 'wallet_key_changed'
  | 'wallet_ambiguous'
  | 'body_too_large'
  | 'media_type_unsupported'
  | 'idempotency_key_reused'
  | 'validation_failed'
  | 'account_not_found'
  | 'bot_type_unknown'
  | 'address_checksum_invalid'
  | 'address_malformed'
  | 'address_mismatch'
  | 'chain_mismatch'
  | 'private_key_halves_mismatch'
  | 'private_key_malformed'
  | 'private_key_out_of_range'
  | 'private_key_wrong_length'
  | 'message_malformed'
  | 'message_is_transaction'
  | 'message_too_long'
  | 'transaction_malformed'
  | 'typed_data_malformed'
  | 'wallet_not_signer'
  | 'envelope_row_mismatch'
  | 'row_limit_exceeded'
  | 'rate_limited'
  | 'internal_error'
  | 'key_decryption_failed'
  | 'audit_key_malformed'
  | 'auth_not_configured'
  | 'auth_unavailable'
  | 'database_busy'
  | 'database_not_configured'
  | 'database_not_migrated'
  | 'database_read_only'
  | 'database_rejects_token'
  | 'database_unavailable'
  | 'edge_token_invalid'
  | 'edge_token_malformed'
  | 'edge_token_missing'
  | 'master_key_malformed'
  | 'master_key_missing'
  | 'master_key_unavailable'
  | 'publishable_key_rejected'
  | 'step_up_settings_malformed'
  | 'audit_key_missing'
  | 'master_keys_incomplete'
  | 'monitor_token_malformed'
  | 'monitor_token_missing'
  | 'rewrap_token_mismatch'
  | 'step_up_settings_mismatch';
export type Chain = 'evm' | 'solana';
/**
 * EVM: 64 hex digits, with or without 0x. Solana: base58 of 64 bytes or of a 32-byte seed, or the JSON array of solana-keygen. No response contains it.
 */
export type PrivateKey = string | number[];
/**
 * The most severe state that applies. `degraded` and `failing` are reported by the runner. `late`: the last heartbeat is too old. `missing`: no heartbeat arrived since the start. `starting`: the bot was started recently and no heartbeat arrived yet. `key_old`: a key of the bot is too old. `keyless`: the bot runs without a key, which is a fault.
 */
export type HealthState =
  | 'healthy'
  | 'starting'
  | 'key_old'
  | 'degraded'
  | 'failing'
  | 'late'
  | 'missing'
  | 'keyless'
  | 'stopped'
  | 'quarantined';
export type SigningKind =
  'evm.transaction' | 'evm.typed_data' | 'evm.message' | 'solana.transaction' | 'solana.message';
export type SignRequest =
  | {
      type: 'evm.transaction';
      /**
       * A transaction of type 0 to 4, with the field names of JSON-RPC and quantities as hex or decimal text. `chainId`, `nonce`, `gas` and the fees are required.
       */
      transaction: {
        [k: string]: unknown;
      };
      /**
       * The id or the address of the wallet that signs. Required if the bot has several wallets. At most 128 characters.
       */
      wallet?: string | undefined;
    }
  | {
      type: 'evm.typed_data';
      /**
       * {domain, types, primaryType, message}, as in eth_signTypedData_v4 (EIP-712).
       */
      typed_data: {
        [k: string]: unknown;
      };
      /**
       * The id or the address of the wallet that signs. Required if the bot has several wallets. At most 128 characters.
       */
      wallet?: string | undefined;
    }
  | {
      type: 'evm.message';
      /**
       * A text, or raw bytes in hex, of at most 32 KiB. It is signed as personal_sign does (EIP-191).
       */
      message:
        | string
        | {
            raw: string;
          };
      /**
       * The id or the address of the wallet that signs. Required if the bot has several wallets. At most 128 characters.
       */
      wallet?: string | undefined;
    }
  | {
      type: 'solana.transaction';
      /**
       * Base64 of the message of a transaction: legacy, version 0 or 1. A whole transaction is accepted too, with signatures or zeros in their place. Its message is signed.
       */
      message: string;
      /**
       * The id or the address of the wallet that signs. Required if the bot has several wallets. At most 128 characters.
       */
      wallet?: string | undefined;
    }
  | {
      type: 'solana.message';
      /**
       * A text, or bytes in base64, of at most 32 KiB. The bytes are signed as they are, as wallets do. Off-chain messages of version 0 and 1 are checked. Bytes that could be a transaction are rejected.
       */
      message:
        | string
        | {
            base64: string;
          };
      /**
       * The id or the address of the wallet that signs. Required if the bot has several wallets. At most 128 characters.
       */
      wallet?: string | undefined;
    };
export type KeyEventName =
  | 'key_added'
  | 'key_rotated'
  | 'key_rewrapped'
  | 'key_revoked'
  | 'key_released'
  | 'wallet_added'
  | 'wallet_changed'
  | 'wallet_removed'
  | 'bot_created'
  | 'bot_changed'
  | 'bot_started'
  | 'bot_stopped'
  | 'bot_quarantined'
  | 'bot_removed'
  | 'token_issued'
  | 'token_changed'
  | 'token_first_used'
  | 'token_revoked'
  | 'policy_set'
  | 'policy_removed'
  | 'refused'
  | 'client_created'
  | 'client_changed'
  | 'client_removed'
  | 'account_linked'
  | 'account_unlinked'
  | 'factor_reset'
  | 'admin_added'
  | 'admin_removed'
  | 'settings_changed'
  | 'bot_type_added'
  | 'bot_type_changed'
  | 'bot_type_removed'
  | 'restored';

/**
 * What each route takes, what it returns if it succeeds, and what it returns if not.
 */
export interface Operations {
  /**
   * Check whether the service runs
   */
  'GET /health': {
    response: Health;
    problem: Problem;
  };
  /**
   * Check everything that the service depends on
   */
  'GET /ready': {
    response: Readiness;
    problem: Problem;
  };
  /**
   * Create a client (admin)
   */
  'POST /clients': {
    body: ClientRequest;
    response: Client;
    problem: Problem;
  };
  /**
   * List clients, newest first
   */
  'GET /clients': {
    query?: PageQuery | undefined;
    response: ClientPage;
    problem: Problem;
  };
  /**
   * Get the client that the caller's account is linked to
   */
  'GET /clients/me': {
    response: Client;
    problem: Problem;
  };
  /**
   * Get a client
   */
  'GET /clients/{id}': {
    response: Client;
    problem: Problem;
  };
  /**
   * List the bot types that can be set up
   */
  'GET /clients/{id}/bot-options': {
    response: BotOptions;
    problem: Problem;
  };
  /**
   * Set up a bot with the client's own key, and start it
   */
  'POST /clients/{id}/setup-bot': {
    body: SetupBotRequest;
    response: Bot;
    problem: Problem;
  };
  /**
   * List a client's bots, newest first
   */
  'GET /clients/{id}/bots': {
    query?: PageQuery | undefined;
    response: BotPage;
    problem: Problem;
  };
  /**
   * Get the address and dates of the trading key of a client
   */
  'GET /clients/{id}/trading-key': {
    response: TradingKey;
    problem: Problem;
  };
  /**
   * Replace the trading key of a client, in every wallet of every bot
   */
  'PUT /clients/{id}/rotate-key': {
    body: RotateRequest;
    response: Rotation;
    problem: Problem;
  };
  /**
   * Delete every key of a client, and stop its bots
   */
  'DELETE /clients/{id}/revoke-key': {
    response: Revocation;
    problem: Problem;
  };
  /**
   * Count the ciphertexts of each master key (admin)
   */
  'GET /keys/status': {
    response: KeysStatus;
    problem: Problem;
  };
  /**
   * Create a bot for a client, with or without private keys (admin)
   */
  'POST /bots/create': {
    body: CreateBotRequest;
    response: Bot;
    problem: Problem;
  };
  /**
   * Add a wallet to a bot (admin)
   */
  'POST /bots/{id}/wallets': {
    body: WalletRequest;
    response: AddedWallet;
    problem: Problem;
  };
  /**
   * Get a bot with its config
   */
  'GET /bots/{id}': {
    response: Bot;
    problem: Problem;
  };
  /**
   * Start a bot
   */
  'POST /bots/{id}/start': {
    response: Bot;
    problem: Problem;
  };
  /**
   * Stop a bot
   */
  'POST /bots/{id}/stop': {
    response: Bot;
    problem: Problem;
  };
  /**
   * Get the health of a bot, and its changes, newest first
   */
  'GET /bots/{id}/health': {
    query?: PageQuery | undefined;
    response: BotHealth;
    problem: Problem;
  };
  /**
   * Get what a bot may sign
   */
  'GET /bots/{id}/policy': {
    response: Policy;
    problem: Problem;
  };
  /**
   * Set what a bot may sign
   */
  'PUT /bots/{id}/policy': {
    body: PolicyRequest;
    response: Policy;
    problem: Problem;
  };
  /**
   * Issue a machine token that signs for a bot
   */
  'POST /bots/{id}/tokens': {
    body: IssueTokenRequest;
    response: IssuedToken;
    problem: Problem;
  };
  /**
   * List the machine tokens that sign for a bot, newest first
   */
  'GET /bots/{id}/tokens': {
    query?: PageQuery | undefined;
    response: TokenPage;
    problem: Problem;
  };
  /**
   * Revoke a machine token
   */
  'DELETE /tokens/{id}': {
    response: Token;
    problem: Problem;
  };
  /**
   * Sign a transaction, typed data or a message for a running bot (runner)
   */
  'POST /bots/{id}/sign': {
    body: SignRequest;
    response: SignAnswer;
    problem: Problem;
  };
  /**
   * List the running bots of a machine token with their wallets, newest first (runner)
   */
  'GET /runner/bots': {
    query?: PageQuery | undefined;
    response: RunnerBotPage;
    problem: Problem;
  };
  /**
   * Get a bot of a machine token with its config (runner)
   */
  'GET /runner/bots/{id}': {
    response: RunnerBot;
    problem: Problem;
  };
  /**
   * Report the state of a bot (runner)
   */
  'POST /bots/{id}/heartbeat': {
    body: HeartbeatRequest;
    response: Heartbeat;
    problem: Problem;
  };
  /**
   * List the audit chain of a client
   */
  'GET /clients/{id}/key-events': {
    query?: KeyEventQuery | undefined;
    response: KeyEventPage;
    problem: Problem;
  };
  /**
   * List the signed checkpoints of the audit chain of a client
   */
  'GET /clients/{id}/checkpoints': {
    query?: SeqPageQuery | undefined;
    response: CheckpointPage;
    problem: Problem;
  };
  /**
   * List the audit chain of the deployment (admin)
   */
  'GET /events': {
    query?: KeyEventQuery | undefined;
    response: KeyEventPage;
    problem: Problem;
  };
  /**
   * List the signed checkpoints of the audit chain of the deployment (admin)
   */
  'GET /events/checkpoints': {
    query?: SeqPageQuery | undefined;
    response: CheckpointPage;
    problem: Problem;
  };
  /**
   * Get the public keys that verify checkpoints
   */
  'GET /.well-known/jwks.json': {
    response: AuditKeys;
    problem: Problem;
  };
}
export interface Health {
  status: 'ok';
}
/**
 * An error response (RFC 9457).
 */
export interface Problem {
  /**
   * Where GET /docs explains the code, relative to the URL of the request.
   */
  type: string;
  title: string;
  status: number;
  detail: string;
  /**
   * The id of the request, also in the X-Request-Id header.
   */
  request_id: string;
  code: ProblemCode;
  errors?: ProblemPart[] | undefined;
}
/**
 * One part of the request that does not match its schema.
 */
export interface ProblemPart {
  /**
   * The place in the body (RFC 6901).
   */
  pointer?: string | undefined;
  /**
   * The name of the parameter or header.
   */
  parameter?: string | undefined;
  code: string;
  detail: string;
}
export interface Readiness {
  status: 'ready' | 'degraded';
  dependencies: {
    database: Dependency;
    schema: Dependency;
    master_key: MasterKeyDependency;
    /**
     * Whether the database accepts the edge token. Without it no key is stored and nothing is signed.
     */
    edge_token: Dependency;
    token_verification: Dependency;
    /**
     * Whether the edge and the database require the same sign-in for key changes.
     */
    step_up: Dependency;
    /**
     * Whether the settings allow the health monitor to run. No call needs it, so the status is `ready` without it.
     */
    monitor: Dependency;
    /**
     * Whether audit checkpoints can be signed. No call needs it, so the status is `ready` without it.
     */
    audit_key: Dependency;
  };
}
export interface Dependency {
  status: 'ok' | 'failing';
  /**
   * The problem code of calls that need this dependency.
   */
  code?: ProblemCode | undefined;
  /**
   * What to do about it.
   */
  detail?: string | undefined;
}
export interface MasterKeyDependency extends Dependency {
  /**
   * With `master_keys_incomplete`: the number of stored ciphertexts that no master key decrypts. 1000 means 1000 or more. "all" means every ciphertext, of more than one client.
   */
  unopenable_envelopes?: (number | 'all') | undefined;
}
export interface ClientRequest {
  /**
   * 1 to 200 characters.
   */
  name: string;
  /**
   * The first account that confirms this e-mail address after the client was created is linked to the client. At most 320 characters.
   */
  email: string;
  /**
   * Link the account that already has this confirmed e-mail address, or respond with 422 `account_not_found`. All sessions of the account end, and its owner sets a new password. Default false.
   */
  link_account?: boolean | undefined;
}
export interface Client {
  /**
   * UUID.
   */
  id: string;
  name: string;
  email: string;
  /**
   * Whether an account is linked to this client.
   */
  linked: boolean;
  /**
   * RFC 3339, UTC.
   */
  created_at: string;
}
export interface PageQuery {
  /**
   * The number of items in a page. 1 to 100, default 50.
   */
  limit?: number | undefined;
  /**
   * The `next_cursor` of the previous page. UUID.
   */
  cursor?: string | undefined;
}
export interface ClientPage {
  items: Client[];
  /**
   * The `cursor` of the next page. Null on the last page.
   */
  next_cursor: string | null;
}
export interface BotOptions {
  bot_types: {
    id: string;
    name: string;
    description: string;
    chain: Chain;
  }[];
}
export interface SetupBotRequest {
  /**
   * 1 to 64 characters.
   */
  bot_type: string;
  /**
   * 1 to 200 characters.
   */
  name?: string | undefined;
  /**
   * Settings for the bot's own program, at most 16 KiB. Not for secrets, because responses return it as it was sent.
   */
  config?:
    | {
        [k: string]: unknown;
      }
    | undefined;
  /**
   * The address follows from the private key. If `address` is present, it must be that address. At most 128 characters.
   */
  address?: string | undefined;
  private_key?: PrivateKey | undefined;
  /**
   * The chain family follows from the private key. If `chain` is present, it must be that family.
   */
  chain?: Chain | undefined;
}
/**
 * A bot with its config.
 */
export interface Bot extends BotSummary {
  config: {
    [k: string]: unknown;
  };
}
/**
 * A bot without its config. `GET /bots/{id}` returns the config.
 */
export interface BotSummary {
  /**
   * UUID.
   */
  id: string;
  /**
   * UUID.
   */
  client_id: string;
  bot_type: string;
  name: string;
  status: 'stopped' | 'running';
  stop_reason: 'created' | 'requested' | 'key_revoked' | 'chain_mismatch' | 'quarantined' | 'restored' | null;
  /**
   * RFC 3339, UTC.
   */
  started_at: string | null;
  /**
   * RFC 3339, UTC.
   */
  stopped_at: string | null;
  /**
   * RFC 3339, UTC.
   */
  created_at: string;
  wallets: Wallet[];
}
export interface Wallet {
  /**
   * UUID.
   */
  id: string;
  address: string;
  chain: Chain;
  /**
   * `trading`: the wallet uses the client's trading key. `own`: it has a key of its own. Null: its key was deleted.
   */
  key_source: 'trading' | 'own' | null;
  /**
   * UUID.
   */
  key_id: string | null;
  /**
   * RFC 3339, UTC.
   */
  created_at: string;
}
export interface BotPage {
  items: BotSummary[];
  /**
   * The `cursor` of the next page. Null on the last page.
   */
  next_cursor: string | null;
}
export interface TradingKey {
  /**
   * UUID.
   */
  client_id: string;
  address: string;
  chain: Chain;
  /**
   * UUID.
   */
  key_id: string;
  /**
   * The number of trading keys that the client has had so far.
   */
  version: number;
  /**
   * RFC 7638 thumbprint of the master key that encrypted the trading key.
   */
  master_key_id: string;
  /**
   * RFC 3339, UTC.
   */
  created_at: string;
  /**
   * RFC 3339, UTC.
   */
  rotated_at: string;
  age_seconds: number;
}
export interface RotateRequest {
  /**
   * The address follows from the private key. If `address` is present, it must be that address. At most 128 characters.
   */
  address?: string | undefined;
  private_key: PrivateKey;
  /**
   * The chain family follows from the private key. If `chain` is present, it must be that family.
   */
  chain?: Chain | undefined;
}
export interface Rotation extends TradingKey {
  wallets_updated: number;
  /**
   * The number of wallets that were removed because their bot would have had the same address twice.
   */
  wallets_merged: number;
  /**
   * The number of bots that were stopped because they belong to another chain family than the new key.
   */
  bots_stopped: number;
}
export interface Revocation {
  /**
   * UUID.
   */
  client_id: string;
  address: string;
  /**
   * UUID.
   */
  key_id: string;
  /**
   * RFC 3339, UTC.
   */
  revoked_at: string;
  bots_stopped: number;
  wallets_cleared: number;
  /**
   * The ids of the machine tokens that ended for this client. A token that also signs for bots of another client continues for those bots only.
   *
   * Items: UUID.
   */
  tokens_ended: string[];
}
export interface KeysStatus {
  /**
   * The master keys in ENCRYPTION_KEY in their order, then the missing ones.
   */
  master_keys: MasterKeyStatus[];
  /**
   * The number of ciphertexts of master keys that only decrypt.
   */
  to_rewrap: number;
  /**
   * The number of ciphertexts of missing master keys.
   */
  unopenable: number;
}
export interface MasterKeyStatus {
  /**
   * RFC 7638 thumbprint of the master key.
   */
  id: string;
  /**
   * `primary`: encrypts and decrypts. `open`: decrypts only. `missing`: not in ENCRYPTION_KEY, so that nothing decrypts what it encrypted.
   */
  role: 'primary' | 'open' | 'missing';
  /**
   * The number of trading keys that it encrypted.
   */
  trading_keys: number;
  /**
   * The number of wallets with a copy of the trading key that it encrypted.
   */
  copies: number;
  /**
   * The number of wallets with a key of their own that it encrypted.
   */
  own_keys: number;
  /**
   * The sum of the three. A master key with 0 can be removed from ENCRYPTION_KEY.
   */
  envelopes: number;
}
export interface CreateBotRequest {
  /**
   * UUID.
   */
  client_id: string;
  /**
   * 1 to 200 characters.
   */
  name: string;
  /**
   * 1 to 64 characters.
   */
  bot_type: string;
  /**
   * Settings for the bot's own program, at most 16 KiB. Not for secrets, because responses return it as it was sent.
   */
  config?:
    | {
        [k: string]: unknown;
      }
    | undefined;
  /**
   * Without wallets the bot uses the client's trading key. At most 20 items.
   */
  wallets?: WalletRequest[] | undefined;
}
/**
 * A wallet to add. Without a private key it uses the client's trading key.
 */
export interface WalletRequest {
  /**
   * The address follows from the private key. If `address` is present, it must be that address. At most 128 characters.
   */
  address?: string | undefined;
  private_key?: PrivateKey | undefined;
  /**
   * The chain family follows from the private key. If `chain` is present, it must be that family.
   */
  chain?: Chain | undefined;
}
export interface AddedWallet extends Wallet {
  /**
   * UUID.
   */
  bot_id: string;
  /**
   * UUID.
   */
  client_id: string;
}
/**
 * The state at the time of the request. `items` are the changes that were recorded, newest first.
 */
export interface BotHealth {
  items: HealthChange[];
  /**
   * The `cursor` of the next page. Null on the last page.
   */
  next_cursor: string | null;
  /**
   * UUID.
   */
  bot_id: string;
  /**
   * UUID.
   */
  client_id: string;
  status: 'stopped' | 'running';
  state: HealthState;
  /**
   * When the state began, as far as it is known. RFC 3339.
   */
  since: string;
  detail: HealthDetail | null;
  last_heartbeat: {
    status: 'ok' | 'degraded' | 'failing';
    message: string | null;
    metrics: {
      [k: string]: unknown;
    } | null;
    /**
     * RFC 3339, UTC.
     */
    at: string;
  } | null;
  signing_failures: {
    /**
     * The number of signing failures in the last hour and since the start, at most 100.
     */
    last_hour: number;
    last_code: string | null;
    /**
     * RFC 3339, UTC.
     */
    last_at: string | null;
  };
  /**
   * When the monitor last checked all bots. The state is determined again for each request. RFC 3339.
   */
  monitored_at: string | null;
}
export interface HealthChange {
  /**
   * UUID.
   */
  id: string;
  state: HealthState;
  /**
   * RFC 3339, UTC.
   */
  since: string;
  /**
   * When the monitor, or a quarantine, recorded the change. RFC 3339.
   */
  noticed_at: string;
  detail: HealthDetail | null;
}
export interface HealthDetail {
  /**
   * Why the bot was stopped: its `stop_reason`.
   */
  reason?: string | undefined;
  /**
   * The code of the last problem before a quarantine.
   */
  code?: string | undefined;
  /**
   * The number of signing failures in the hour before a quarantine.
   */
  failures?: number | undefined;
  /**
   * The message of the runner.
   */
  message?: string | undefined;
  /**
   * RFC 3339, UTC.
   */
  heartbeat_at?: string | undefined;
  /**
   * The addresses of the keys that are too old.
   */
  addresses?: string[] | undefined;
}
/**
 * A field that is null is not limited.
 */
export interface Policy {
  /**
   * UUID.
   */
  bot_id: string;
  kinds: SigningKind[] | null;
  chain_ids: string[] | null;
  recipients: string[] | null;
  max_value: string | null;
  max_value_24h: string | null;
  quarantine_after: number | null;
  /**
   * RFC 3339, UTC.
   */
  updated_at: string | null;
}
/**
 * A field that is absent or null is not limited. Values are in the smallest unit of the chain.
 */
export interface PolicyRequest {
  /**
   * The kinds of signing that are allowed. If absent: all kinds, or only transactions if recipients or values are limited. With such a limit, solana.message is never allowed. At most 100 items.
   */
  kinds?: (SigningKind[] | null) | undefined;
  /**
   * The EVM chains that are allowed, for transactions and typed data. At most 100 items.
   */
  chain_ids?: ((string | number)[] | null) | undefined;
  /**
   * The accounts that may be paid, and the contracts or programs that may be called. At most 100 items.
   */
  recipients?: (string[] | null) | undefined;
  /**
   * The highest value of one transaction, in wei or lamports, as decimal text. Fees are not counted.
   */
  max_value?: (string | null) | undefined;
  /**
   * The highest sum of the values of all transactions in the last 24 hours, in wei or lamports, as decimal text. Fees are not counted.
   */
  max_value_24h?: (string | null) | undefined;
  /**
   * The number of signing failures within an hour after which the bot is stopped. Requests that the policy rejects count, and keys that cannot be decrypted; the first key that cannot be decrypted stops the bot at once. Null: the bot is never stopped. 1 to 100.
   */
  quarantine_after?: (number | null) | undefined;
}
export interface IssueTokenRequest {
  /**
   * 1 to 200 characters.
   */
  name: string;
  /**
   * RFC 3339. If absent, the token is valid until it is revoked.
   */
  expires_at?: string | undefined;
  /**
   * Other bots that the token signs for, in addition to the bot in the path. At most 99 items.
   */
  other_bot_ids?: string[] | undefined;
}
export interface IssuedToken extends Token {
  /**
   * The token itself. It is returned once and not stored: a response that is repeated for an Idempotency-Key does not have it. If the first response was lost, revoke the token by its id and issue another.
   */
  token?: string | undefined;
}
export interface Token {
  /**
   * UUID.
   */
  id: string;
  name: string;
  /**
   * All bots that the token may sign for.
   *
   * Items: UUID.
   */
  bot_ids: string[];
  /**
   * RFC 3339, UTC.
   */
  created_at: string;
  /**
   * RFC 3339, UTC.
   */
  expires_at: string | null;
  /**
   * The minute of the last use. RFC 3339.
   */
  last_used_at: string | null;
}
export interface TokenPage {
  items: Token[];
  /**
   * The `cursor` of the next page. Null on the last page.
   */
  next_cursor: string | null;
}
export interface SignAnswer {
  /**
   * EVM: hex of 65 bytes (r, s, and v as 27 or 28). Solana: base58 of 64 bytes.
   */
  signature: string;
  /**
   * The signed transaction, ready to send. EVM: hex. Solana: base64, present only if it has every signature: nobody else has to sign, or the request was a whole transaction with the valid signatures of all others.
   */
  signed_transaction?: string | undefined;
  /**
   * The address of the key that signed.
   */
  address: string;
  /**
   * UUID.
   */
  key_id: string;
}
export interface RunnerBotPage {
  items: RunnerBotSummary[];
  /**
   * The `cursor` of the next page. Null on the last page.
   */
  next_cursor: string | null;
}
/**
 * A bot without its config. `GET /runner/bots/{id}` returns the config.
 */
export interface RunnerBotSummary {
  /**
   * UUID.
   */
  id: string;
  /**
   * UUID.
   */
  client_id: string;
  bot_type: string;
  name: string;
  status: 'stopped' | 'running';
  /**
   * RFC 3339, UTC.
   */
  started_at: string | null;
  wallets: Wallet[];
}
/**
 * A bot with its config.
 */
export interface RunnerBot extends RunnerBotSummary {
  config: {
    [k: string]: unknown;
  };
}
export interface HeartbeatRequest {
  status: 'ok' | 'degraded' | 'failing';
  /**
   * At most 1000 characters.
   */
  message?: string | undefined;
  metrics?:
    | {
        [k: string]: number | boolean | string;
      }
    | undefined;
}
export interface Heartbeat {
  /**
   * UUID.
   */
  bot_id: string;
  /**
   * Whether the bot should run. A runner ends a bot that is `stopped`.
   */
  bot_status: 'stopped' | 'running';
  /**
   * RFC 3339, UTC.
   */
  recorded_at: string;
}
export interface KeyEventQuery {
  /**
   * The number of items in a page. 1 to 100, default 50.
   */
  limit?: number | undefined;
  /**
   * The `next_cursor` of the previous page, or the `seq` of a known row to continue from it.
   */
  cursor?: string | undefined;
  /**
   * Which row comes first. Verify a chain from the oldest row. Default "newest".
   */
  order?: ('newest' | 'oldest') | undefined;
  /**
   * Return only events of this name. Such a page cannot be verified, because rows are missing.
   */
  event?: KeyEventName | undefined;
}
export interface KeyEventPage {
  items: KeyEvent[];
  /**
   * The `cursor` of the next page. Null on the last page.
   */
  next_cursor: string | null;
  /**
   * Events that are not in the chain yet, newest first. Usually empty, because a read adds them to the chain.
   */
  queued: QueuedEvent[];
  /**
   * The number of events since the newest recorded one that were counted and not recorded, because there were too many.
   */
  omitted: number;
}
/**
 * A row of an audit chain, with the fields that are hashed.
 */
export interface KeyEvent {
  /**
   * The number of the row in the chain, from 1, without gaps.
   */
  seq: number;
  /**
   * UUID.
   */
  id: string;
  /**
   * The nil UUID in the chain of the deployment.
   */
  client_id: string;
  event: KeyEventName;
  /**
   * `auth` is the Auth server, for example when it links an account.
   */
  actor: 'client' | 'admin' | 'operator' | 'runner' | 'auth';
  /**
   * The account, if the actor had a session. UUID.
   */
  actor_id: string | null;
  request_id: string | null;
  /**
   * UUID.
   */
  bot_id: string | null;
  address: string | null;
  chain: 'evm' | 'solana' | null;
  /**
   * UUID.
   */
  key_id: string | null;
  key_version: number | null;
  detail: {
    [k: string]: unknown;
  } | null;
  /**
   * RFC 3339, UTC.
   */
  created_at: string;
  /**
   * The number of `key_released` events in the chain up to this row, including it.
   */
  signatures: number;
  /**
   * The hash of the row before. Null for the first row.
   */
  previous_hash: string | null;
  /**
   * SHA-256, in hex, of the canonical form (RFC 8785) of all other fields.
   */
  hash: string;
}
/**
 * An event that is not in its chain yet. It has no number and no hash.
 */
export interface QueuedEvent {
  /**
   * UUID.
   */
  id: string;
  /**
   * The nil UUID in the chain of the deployment.
   */
  client_id: string;
  event: KeyEventName;
  /**
   * `auth` is the Auth server, for example when it links an account.
   */
  actor: 'client' | 'admin' | 'operator' | 'runner' | 'auth';
  /**
   * The account, if the actor had a session. UUID.
   */
  actor_id: string | null;
  request_id: string | null;
  /**
   * UUID.
   */
  bot_id: string | null;
  address: string | null;
  chain: 'evm' | 'solana' | null;
  /**
   * UUID.
   */
  key_id: string | null;
  key_version: number | null;
  detail: {
    [k: string]: unknown;
  } | null;
  /**
   * RFC 3339, UTC.
   */
  created_at: string;
}
export interface SeqPageQuery {
  /**
   * The number of items in a page. 1 to 100, default 50.
   */
  limit?: number | undefined;
  /**
   * The `next_cursor` of the previous page, or the `seq` of a known row to continue from it.
   */
  cursor?: string | undefined;
  /**
   * Which row comes first. Verify a chain from the oldest row. Default "newest".
   */
  order?: ('newest' | 'oldest') | undefined;
}
export interface CheckpointPage {
  items: Checkpoint[];
  /**
   * The `cursor` of the next page. Null on the last page.
   */
  next_cursor: string | null;
}
export interface Checkpoint {
  /**
   * The number of the row in the chain, from 1, without gaps.
   */
  seq: number;
  /**
   * SHA-256, in hex.
   */
  hash: string;
  /**
   * Compact JWS (EdDSA) of {iss, client_id, seq, hash, time}, signed by a key of `GET /.well-known/jwks.json`.
   */
  jws: string;
  /**
   * RFC 3339, UTC.
   */
  created_at: string;
}
/**
 * A JWK Set (RFC 7517) with the public keys that verify checkpoints.
 */
export interface AuditKeys {
  keys: {
    kty: 'OKP';
    crv: 'Ed25519';
    alg: 'EdDSA';
    use: 'sig';
    /**
     * RFC 7638 thumbprint of the key.
     */
    kid: string;
    x: string;
  }[];
}
