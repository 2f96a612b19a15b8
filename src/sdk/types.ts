/** What calls send and get: plain types, equal to the API's own schemas (`test/sdk/contract` holds them so). */
import type { ProblemCode } from '../problem.ts';

export type Chain = 'evm' | 'solana';

/** Newest first; `next_cursor` is the `cursor` of the next page, or null on the last. */
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export interface PageQuery {
  /** 1 to 100; 50 if not given. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

// clients -----------------------------------------------------------------------------------------------------

export interface ClientRequest {
  name: string;
  /** The account that confirms this e-mail for the first time, after the client was created, is linked to it. */
  email: string;
  /** Link the account that has this confirmed e-mail already. Its sign-ins end: the owner sets a new password. */
  link_account?: boolean | undefined;
}

export interface Client {
  id: string;
  name: string;
  email: string;
  /** Whether an account signs in for this client. */
  linked: boolean;
  created_at: string;
}

// keys --------------------------------------------------------------------------------------------------------

/**
 * EVM: 64 hex digits, with or without 0x. Solana: base58 of 64 bytes or of a 32-byte seed, or the JSON array of
 * solana-keygen.
 */
export type PrivateKey = string | number[];

export interface KeyFields {
  /** If given, it has to be that of the key. */
  address?: string | undefined;
  private_key?: PrivateKey | undefined;
  /** Follows from the key; if given, it has to fit. */
  chain?: Chain | undefined;
}

/** With a private key, or without one to hold a copy of the client's trading key. */
export interface WalletRequest extends KeyFields {}

export interface RotateRequest extends KeyFields {
  private_key: PrivateKey;
}

export interface Wallet {
  id: string;
  address: string;
  chain: Chain;
  /** A copy of the client's trading key, a key of its own, or null: no key is left. */
  key_source: 'trading' | 'own' | null;
  key_id: string | null;
  created_at: string;
}

export interface AddedWallet extends Wallet {
  bot_id: string;
  client_id: string;
}

export interface TradingKey {
  client_id: string;
  address: string;
  chain: Chain;
  key_id: string;
  /** Counts every trading key that the client ever had. */
  version: number;
  /** Of the master key that sealed it. */
  master_key_id: string;
  created_at: string;
  rotated_at: string;
  age_seconds: number;
}

export interface Rotation extends TradingKey {
  wallets_updated: number;
  /** Wallets removed because their bot had the same address twice. */
  wallets_merged: number;
  /** Bots of another chain family, which cannot use the new key. */
  bots_stopped: number;
}

export interface Revocation {
  client_id: string;
  address: string;
  key_id: string;
  revoked_at: string;
  bots_stopped: number;
  wallets_cleared: number;
  /** Ids of the machine tokens that signed only for bots of this client. */
  tokens_ended: string[];
}

// bots --------------------------------------------------------------------------------------------------------

export interface CreateBotRequest {
  client_id: string;
  name: string;
  bot_type: string;
  /** What the bot's own program reads; no secrets. */
  config?: Record<string, unknown> | undefined;
  /** None: the client's trading key is used. */
  wallets?: WalletRequest[] | undefined;
}

export interface SetupBotRequest extends KeyFields {
  bot_type: string;
  name?: string | undefined;
  config?: Record<string, unknown> | undefined;
}

/** A bot as lists show it, without its config. */
export interface BotSummary {
  id: string;
  client_id: string;
  bot_type: string;
  name: string;
  status: 'stopped' | 'running';
  stop_reason: 'created' | 'requested' | 'key_revoked' | 'chain_mismatch' | 'quarantined' | 'restored' | null;
  started_at: string | null;
  stopped_at: string | null;
  created_at: string;
  wallets: Wallet[];
}

export interface Bot extends BotSummary {
  config: Record<string, unknown>;
}

export interface BotOptions {
  bot_types: { id: string; name: string; description: string; chain: Chain }[];
}

// health ------------------------------------------------------------------------------------------------------

export type HealthState =
  | 'healthy'
  /** No heartbeat yet since the start. */
  | 'starting'
  /** A key that the bot signs with is too old. */
  | 'key_old'
  /** The runner says so; so with failing. */
  | 'degraded'
  | 'failing'
  /** The last heartbeat is too old. */
  | 'late'
  /** No heartbeat since the start. */
  | 'missing'
  /** It runs without a key, which should not be. */
  | 'keyless'
  | 'stopped'
  | 'quarantined';

export interface HealthDetail {
  /** As `stop_reason` of the bot. */
  reason?: string | undefined;
  /** The last problem before a quarantine. */
  code?: string | undefined;
  /** To sign, in the hour before a quarantine. */
  failures?: number | undefined;
  /** What the runner said. */
  message?: string | undefined;
  heartbeat_at?: string | undefined;
  /** Of the keys that are too old. */
  addresses?: string[] | undefined;
}

export interface HealthChange {
  id: string;
  state: HealthState;
  since: string;
  /** When the monitor, or a quarantine, wrote it down. */
  noticed_at: string;
  detail: HealthDetail | null;
}

/** The state is judged as it is asked for; the items are what the monitor wrote down. */
export interface BotHealth extends Page<HealthChange> {
  bot_id: string;
  client_id: string;
  status: 'stopped' | 'running';
  state: HealthState;
  /** When the state began, as far as can be told. */
  since: string;
  detail: HealthDetail | null;
  last_heartbeat: {
    status: 'ok' | 'degraded' | 'failing';
    message: string | null;
    metrics: Record<string, unknown> | null;
    at: string;
  } | null;
  /** Since the start, 100 at most. */
  signing_failures: { last_hour: number; last_code: string | null; last_at: string | null };
  /** When the monitor last went through all bots. */
  monitored_at: string | null;
}

// service -----------------------------------------------------------------------------------------------------

export interface Health {
  status: 'ok';
}

interface Dependency {
  status: 'ok' | 'missing';
  /** The problem that calls needing it answer. */
  code?: ProblemCode | undefined;
}

interface MasterKeyDependency extends Dependency {
  /** With `master_key_dropped`: envelopes that no master key opens; 1000 or more, or `null` for every one there is. */
  unopenable_envelopes?: number | null | undefined;
}

export interface Readiness {
  status: 'ready' | 'degraded';
  dependencies: {
    database: Dependency;
    schema: Dependency;
    master_key: MasterKeyDependency;
    /** Whether the database accepts the edge token: without it no key is stored and nothing is signed. */
    edge_token: Dependency;
    token_verification: Dependency;
    /** Whether the edge and the database require the same sign-in for key changes. */
    step_up: Dependency;
    /** Of the operator alone: the service is ready without it. */
    monitor: Dependency;
    /** No call needs it. */
    audit_key: Dependency;
  };
}

// master keys ------------------------------------------------------------------------------------------------

export interface MasterKeyStatus {
  /** RFC 7638 thumbprint. */
  id: string;
  /** It seals and opens, it opens only, or it is not in force: what it sealed opens for nobody. */
  role: 'primary' | 'open' | 'missing';
  trading_keys: number;
  copies: number;
  own_keys: number;
  /** All of them. A master key with none may be dropped. */
  envelopes: number;
}

export interface KeysStatus {
  /** Those in force in their order, then the missing. */
  master_keys: MasterKeyStatus[];
  /** Envelopes of master keys that open only. */
  to_rewrap: number;
  /** Envelopes of master keys that are missing. */
  unopenable: number;
}

// machine tokens ----------------------------------------------------------------------------------------------

export interface IssueTokenRequest {
  name: string;
  /** None: until it is revoked. */
  expires_at?: string | undefined;
  /** More bots that the token signs for, beside the one that it is issued for. */
  other_bot_ids?: string[] | undefined;
}

export interface Token {
  id: string;
  name: string;
  bot_ids: string[];
  created_at: string;
  expires_at: string | null;
  /** To the minute. */
  last_used_at: string | null;
}

export interface IssuedToken extends Token {
  /**
   * `tk_…`: shown once and kept nowhere. Absent where the answer that had it was lost and this is that answer
   * again: then revoke the token by its id and issue another.
   */
  token?: string | undefined;
}

// policies ----------------------------------------------------------------------------------------------------

export type SigningKind = 'evm.transaction' | 'evm.typed_data' | 'evm.message' | 'solana.transaction';

/** What is absent or null is not limited. Values are in the chain's smallest unit: wei, lamports. */
export interface PolicyRequest {
  /** None given: all, or transactions alone where recipients or values are limited. */
  kinds?: SigningKind[] | null | undefined;
  /** EVM chains, of transactions and of typed data. */
  chain_ids?: (string | number)[] | null | undefined;
  /** Accounts that may be paid and contracts or programs that may be called. */
  recipients?: string[] | null | undefined;
  /** Of one transaction, without fees. */
  max_value?: string | null | undefined;
  /** Of all transactions of the last 24 hours together, without fees. */
  max_value_24h?: string | null | undefined;
  /** 1 to 100 failures to sign within an hour after which the bot is stopped. */
  quarantine_after?: number | null | undefined;
}

export interface Policy {
  bot_id: string;
  kinds: SigningKind[] | null;
  chain_ids: string[] | null;
  recipients: string[] | null;
  max_value: string | null;
  max_value_24h: string | null;
  quarantine_after: number | null;
  updated_at: string | null;
}

// signing -----------------------------------------------------------------------------------------------------

interface OfWallet {
  /** Id or address of the wallet that signs, where the bot has several. */
  wallet?: string | undefined;
}

export type SignRequest =
  /** In the field names of JSON-RPC, quantities in hex or decimal text. */
  | (OfWallet & { type: 'evm.transaction'; transaction: Record<string, unknown> })
  /** As eth_signTypedData_v4 takes it. */
  | (OfWallet & { type: 'evm.typed_data'; typed_data: Record<string, unknown> })
  /** A text, or raw bytes in hex, as personal_sign takes it. */
  | (OfWallet & { type: 'evm.message'; message: string | { raw: string } })
  /** Base64 of the message of a transaction. */
  | (OfWallet & { type: 'solana.transaction'; message: string });

export interface SignAnswer {
  /** Hex of 65 bytes (r, s, v of 27 or 28), or base58 of 64 bytes. */
  signature: string;
  /** The whole transaction as nodes take it: hex, or base64 where nobody else signs. */
  signed_transaction?: string | undefined;
  /** Of the key that signed. */
  address: string;
  key_id: string;
}

// audit -------------------------------------------------------------------------------------------------------

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

/** An event that is not in its chain yet. */
export interface QueuedEvent {
  id: string;
  /** The nil UUID in the chain of the deployment. */
  client_id: string;
  event: KeyEventName;
  /** `auth`: the Auth server, for example when it links an account. */
  actor: 'client' | 'admin' | 'operator' | 'runner' | 'auth';
  /** The account, where there was a session. */
  actor_id: string | null;
  request_id: string | null;
  bot_id: string | null;
  address: string | null;
  chain: Chain | null;
  key_id: string | null;
  key_version: number | null;
  detail: Record<string, unknown> | null;
  created_at: string;
}

/** A row of an audit chain, as it is hashed: `hash` is SHA-256 over RFC 8785 of everything else here. */
export interface KeyEvent extends QueuedEvent {
  /** Counts the rows of the chain, from 1, without a gap. */
  seq: number;
  /** How many key_released events the chain has up to here, this row included. */
  signatures: number;
  /** Null for the first. */
  previous_hash: string | null;
  hash: string;
}

export interface KeyEventPage extends Page<KeyEvent> {
  /** The newest events that are not chained yet, newest first. Usually none: a read chains them. */
  queued: QueuedEvent[];
  /** How many events were only counted since the last one that was recorded, because there were too many. */
  omitted: number;
}

export interface SeqPageQuery {
  /** 1 to 100; 50 if not given. */
  limit?: number | undefined;
  cursor?: string | undefined;
  /** Which comes first; the newest if not given. */
  order?: 'newest' | 'oldest' | undefined;
}

export interface KeyEventQuery extends SeqPageQuery {
  /** Only these. What is left out cannot be verified. */
  event?: KeyEventName | undefined;
}

export interface Checkpoint {
  seq: number;
  hash: string;
  /** Compact JWS (EdDSA) over {iss, client_id, seq, hash, time}. */
  jws: string;
  created_at: string;
}

/** A JWK Set. */
export interface AuditKeys {
  keys: { kty: 'OKP'; crv: 'Ed25519'; alg: 'EdDSA'; use: 'sig'; kid: string; x: string }[];
}

// runners -----------------------------------------------------------------------------------------------------

/** A bot as its runner's list shows it, without its config. */
export interface RunnerBotSummary {
  id: string;
  client_id: string;
  bot_type: string;
  name: string;
  status: 'stopped' | 'running';
  started_at: string | null;
  wallets: Wallet[];
}

export interface RunnerBot extends RunnerBotSummary {
  config: Record<string, unknown>;
}

export interface HeartbeatRequest {
  status: 'ok' | 'degraded' | 'failing';
  message?: string | undefined;
  metrics?: Record<string, number | boolean | string> | undefined;
}

export interface Heartbeat {
  bot_id: string;
  /** What the bot should be: a runner ends one that is stopped. */
  bot_status: 'stopped' | 'running';
  recorded_at: string;
}
