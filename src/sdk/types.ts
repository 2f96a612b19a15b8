/** The public names of what calls send and get. `openapi.ts` has the types, generated from the API's own schemas. */
import type { WalletRequest } from './openapi.ts';

export type {
  AddedWallet,
  AuditKeys,
  Bot,
  BotHealth,
  BotOptions,
  BotSummary,
  Chain,
  Checkpoint,
  Client,
  ClientRequest,
  CreateBotRequest,
  Health,
  HealthChange,
  HealthDetail,
  HealthState,
  Heartbeat,
  HeartbeatRequest,
  IssuedToken,
  IssueTokenRequest,
  KeyEvent,
  KeyEventName,
  KeyEventPage,
  KeyEventQuery,
  KeysStatus,
  MasterKeyStatus,
  PageQuery,
  Policy,
  PolicyRequest,
  PrivateKey,
  QueuedEvent,
  Readiness,
  Revocation,
  RotateRequest,
  Rotation,
  RunnerBot,
  RunnerBotSummary,
  SeqPageQuery,
  SetupBotRequest,
  SignAnswer,
  SigningKind,
  SignRequest,
  Token,
  TradingKey,
  Wallet,
  WalletRequest,
} from './openapi.ts';

/** What requests with a key have in common. */
export type KeyFields = WalletRequest;

/** A page of any list of the API, newest first. */
export interface Page<Item> {
  items: Item[];
  /** The `cursor` of the next page. Null on the last page. */
  next_cursor: string | null;
}
