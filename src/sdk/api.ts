import type { CallOptions } from './transport.ts';
import type {
  AddedWallet,
  AuditKeys,
  Bot,
  BotHealth,
  BotOptions,
  BotSummary,
  Checkpoint,
  Client,
  ClientRequest,
  CreateBotRequest,
  Health,
  Heartbeat,
  HeartbeatRequest,
  IssuedToken,
  IssueTokenRequest,
  KeyEventPage,
  KeyEventQuery,
  KeysStatus,
  Page,
  PageQuery,
  Policy,
  PolicyRequest,
  Readiness,
  Revocation,
  RotateRequest,
  Rotation,
  RunnerBot,
  RunnerBotSummary,
  SeqPageQuery,
  SetupBotRequest,
  SignAnswer,
  SignRequest,
  Token,
  TradingKey,
  WalletRequest,
} from './types.ts';

/** Every call of the API. Each rejects with ApiProblem, NoAnswer, or the reason of its own signal. */
export interface TradingKeysClient {
  /** Whether the Worker runs. Anyone. */
  health(options?: CallOptions): Promise<Health>;
  /** What the Worker depends on, each by name; also where something is missing. Anyone. */
  ready(options?: CallOptions): Promise<Readiness>;

  readonly clients: {
    /** Admin. */
    create(request: ClientRequest, options?: CallOptions): Promise<Client>;
    /** The clients that the caller may see. */
    list(page?: PageQuery, options?: CallOptions): Promise<Page<Client>>;
    /** The client that the caller's account is linked to. */
    me(options?: CallOptions): Promise<Client>;
    get(clientId: string, options?: CallOptions): Promise<Client>;
    /** The bot types on offer. */
    botOptions(clientId: string, options?: CallOptions): Promise<BotOptions>;
    /** A bot with the client's own key; it starts at once. */
    setupBot(clientId: string, request: SetupBotRequest, options?: CallOptions): Promise<Bot>;
    /** Without their configs, newest first. */
    bots(clientId: string, page?: PageQuery, options?: CallOptions): Promise<Page<BotSummary>>;
    /** What is known of the trading key; never the key. */
    tradingKey(clientId: string, options?: CallOptions): Promise<TradingKey>;
    /** Replaces the trading key, in every wallet of every bot of the client. */
    rotateKey(clientId: string, request: RotateRequest, options?: CallOptions): Promise<Rotation>;
    /**
     * Stops every bot of the client and deletes every ciphertext. Sent again if the API does not respond. After that,
     * `trading_key_missing` says that it was carried out before.
     */
    revokeKey(clientId: string, options?: CallOptions): Promise<Revocation>;
    /** The audit chain. `trading-keys/audit` verifies it. */
    keyEvents(clientId: string, query?: KeyEventQuery, options?: CallOptions): Promise<KeyEventPage>;
    /** Rows of the audit chain that were signed when they were its last ones. */
    checkpoints(clientId: string, page?: SeqPageQuery, options?: CallOptions): Promise<Page<Checkpoint>>;
  };

  readonly bots: {
    /** Admin. The bot is not yet started. */
    create(request: CreateBotRequest, options?: CallOptions): Promise<Bot>;
    /** One bot, with its config. */
    get(botId: string, options?: CallOptions): Promise<Bot>;
    /** A running bot stays as it is. */
    start(botId: string, options?: CallOptions): Promise<Bot>;
    /** A stopped bot stays as it is. */
    stop(botId: string, options?: CallOptions): Promise<Bot>;
    /** Admin. */
    addWallet(botId: string, request: WalletRequest, options?: CallOptions): Promise<AddedWallet>;
    /** How the bot does, as of now, and the changes of that, newest first. */
    health(botId: string, page?: PageQuery, options?: CallOptions): Promise<BotHealth>;
    /** A machine token for this bot's runner, shown once: absent where an answer was lost and asked for again. */
    issueToken(botId: string, request: IssueTokenRequest, options?: CallOptions): Promise<IssuedToken>;
    /** The machine tokens that sign for this bot, newest first; never the tokens themselves. */
    tokens(botId: string, page?: PageQuery, options?: CallOptions): Promise<Page<Token>>;
    /** What the bot may sign. */
    policy(botId: string, options?: CallOptions): Promise<Policy>;
    /** Replaces the policy as a whole. */
    setPolicy(botId: string, policy: PolicyRequest, options?: CallOptions): Promise<Policy>;
    /** With a machine token. `trading-keys/viem` and `trading-keys/solana` also check what comes back. */
    sign(botId: string, request: SignRequest, options?: CallOptions): Promise<SignAnswer>;
    /** With a machine token. The answer says whether the bot should still run. */
    heartbeat(botId: string, request: HeartbeatRequest, options?: CallOptions): Promise<Heartbeat>;
  };

  readonly keys: {
    /** Admin. How many envelopes each master key sealed, and whether it is in force. */
    status(options?: CallOptions): Promise<KeysStatus>;
  };

  readonly tokens: {
    /** From then on the token signs for nobody. */
    revoke(tokenId: string, options?: CallOptions): Promise<Token>;
  };

  /** The audit chain of the deployment: admins, settings, bot types, tokens of the operator. */
  readonly events: {
    /** Admin. `trading-keys/audit` verifies the chain. */
    list(query?: KeyEventQuery, options?: CallOptions): Promise<KeyEventPage>;
    /** Admin. Rows of the chain that were signed when they were its last ones. */
    checkpoints(page?: SeqPageQuery, options?: CallOptions): Promise<Page<Checkpoint>>;
  };

  readonly audit: {
    /** What checkpoints are verified with. Anyone. */
    keys(options?: CallOptions): Promise<AuditKeys>;
  };

  readonly runner: {
    /** The running bots of the machine token, without their configs, newest first. */
    bots(page?: PageQuery, options?: CallOptions): Promise<Page<RunnerBotSummary>>;
    /** One bot of the machine token, running or stopped, with its config. */
    bot(botId: string, options?: CallOptions): Promise<RunnerBot>;
  };
}

/** The one call that signing needs: what an account or a signer asks of a client. */
export interface SigningClient {
  readonly bots: Pick<TradingKeysClient['bots'], 'sign'>;
}
