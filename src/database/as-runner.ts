import { z } from 'zod';
import { Wallet } from '../contract/keys.ts';
import { Heartbeat, type HeartbeatRequest, RunnerBot, RunnerBotPage } from '../contract/runner.ts';
import { Reported } from './as-caller.ts';
import { asJson, callByToken, type Functions } from './call.ts';
import { CallStats } from './call-stats.ts';
import type { Connection } from './connection.ts';
import { RaisedProblem } from './errors.ts';
import { type IdempotentFunction, type IdempotentRequest, idempotencyArgument } from './idempotency.ts';
import { type Page, pageArguments } from './page.ts';

export interface Runner {
  /** The machine token. */
  readonly token: string;
  readonly requestId: string;
  readonly idempotency?: IdempotentRequest;
  readonly callStats?: CallStats;
  /** Called if a call shows whether the database knows the token. */
  readonly onTokenChecked?: (isKnown: boolean) => void;
}

/** The facts about a request to sign. The bot's policy is checked against them, and the audit event contains them. */
export interface SigningClaim {
  readonly kind: string;
  readonly chain_id: string | null;
  readonly recipients: readonly string[];
  /** Decimal. */
  readonly value: string;
  /** The highest fee, decimal. Absent for EVM and for messages. */
  readonly fee?: string;
  readonly opaque: boolean;
  /** Absent if any wallet may sign. Otherwise the address of the wallet must be one of these. */
  readonly signers?: readonly string[];
  /** SHA-256 or Keccak-256 of what is signed, in hex. */
  readonly digest: string;
}

const CheckedOutKey = z.object({
  client_id: z.string(),
  chain: z.enum(['evm', 'solana']),
  address: z.string(),
  key_id: z.string(),
  encrypted_key: z.string(),
});
export type CheckedOutKey = z.infer<typeof CheckedOutKey>;

/** Instead of a key: the first request with this Idempotency-Key was filled in with these fields. */
const FilledBefore = z.object({ filled: z.record(z.string(), z.string()) });

const FoundFields = z.object({ filled: z.record(z.string(), z.string()).nullable() });

/** What JSON-RPC needs of a bot. `chain_ids` are those of its policy. */
const RpcBot = z.object({ wallets: z.array(Wallet), chain_ids: z.array(z.string()).nullable() });
export type RpcBot = z.infer<typeof RpcBot>;

const ReportedFailure = z.object({ failures: z.number(), quarantined: z.boolean() });
export type ReportedFailure = z.infer<typeof ReportedFailure>;

/**
 * The database functions of a machine token with the scope for signing. They run without a session, and each function
 * verifies the token first. All throw `Problem`.
 */
export class RunnerDatabase {
  readonly #connection: Connection;
  readonly #runner: Runner;

  constructor(connection: Connection, runner: Runner) {
    this.#connection = connection;
    this.#runner = runner;
  }

  /** The same database for a request with an Idempotency-Key: its change is made once. */
  withIdempotency(idempotency: IdempotentRequest): RunnerDatabase {
    return new RunnerDatabase(this.#connection, { ...this.#runner, idempotency });
  }

  /** The same database for one part of a request, such as an item of a batch: each part has its own stored response. */
  forPart(name: string, content: string): RunnerDatabase {
    const idempotency = this.#runner.idempotency?.part(name, content);
    return idempotency ? this.withIdempotency(idempotency) : this;
  }

  // Reads are repeatable. They only record when the token was last used, at most once a minute.
  listBots(page: Page) {
    return this.#call(RunnerBotPage, 'list_runner_bots', pageArguments(page), true);
  }
  getBot(botId: string) {
    return this.#call(RunnerBot, 'get_runner_bot', { bot_id: botId }, true);
  }
  getRpcBot(botId: string): Promise<RpcBot> {
    return this.#call(RpcBot, 'get_runner_bot', { bot_id: botId }, true);
  }
  recordHeartbeat(botId: string, { status, message, metrics }: HeartbeatRequest) {
    return this.#callIdempotent(Heartbeat, 'record_heartbeat', {
      bot_id: botId,
      status,
      ...(message !== undefined && { message }),
      ...(metrics !== undefined && { metrics: asJson(metrics) }),
    });
  }
  /**
   * Checks token, bot, wallet and policy, reserves the value, writes the event, and returns the envelope. All of it is one
   * transaction.
   */
  checkOutKey(botId: string, signing: SigningClaim, wallet: string | undefined): Promise<CheckedOutKey> {
    return this.#checkOut(CheckedOutKey, botId, signing, wallet, this.#runner.idempotency);
  }

  /**
   * The same for a transaction that the edge has filled in. Stores the filled fields under the Idempotency-Key. If the first
   * request with this key was filled in otherwise, returns its fields, and nothing else happens.
   */
  checkOutKeyFilled(
    botId: string,
    signing: SigningClaim,
    wallet: string | undefined,
    filled: Readonly<Record<string, string>>,
  ): Promise<CheckedOutKey | z.infer<typeof FilledBefore>> {
    const { idempotency } = this.#runner;
    const once = idempotency && { ...idempotency, filled };
    return this.#checkOut(z.union([CheckedOutKey, FilledBefore]), botId, signing, wallet, once);
  }

  /** The fields with which the first request under this Idempotency-Key was filled in. Nothing is signed or recorded. */
  async findFilled(botId: string): Promise<Readonly<Record<string, string>> | undefined> {
    const { idempotency } = this.#runner;
    if (!idempotency) return undefined;
    const { key, fingerprint } = idempotency;
    const args = {
      edge_token: this.#connection.edgeToken(),
      bot_id: botId,
      signing: {},
      once: { key, fingerprint, find: true },
    };
    return (await this.#call(FoundFields, 'check_out_key', args, true)).filled ?? undefined;
  }

  #checkOut<Schema extends z.ZodType>(
    schema: Schema,
    botId: string,
    signing: SigningClaim,
    wallet: string | undefined,
    once: IdempotentRequest | undefined,
  ): Promise<z.infer<Schema>> {
    const args = {
      edge_token: this.#connection.edgeToken(),
      bot_id: botId,
      signing: asJson(signing),
      ...(wallet !== undefined && { wallet }),
      ...idempotencyArgument(once),
    };
    return this.#call(schema, 'check_out_key', args, once !== undefined);
  }

  /** Records a rejected request in the audit chain of the bot's client, or of the token's client. */
  reportRefusal(botId: string | undefined, code: string, route: string) {
    // An id in the path that is not a UUID identifies no bot. The database then uses the client of the token.
    const args = { bot_id: botId ?? '00000000-0000-0000-0000-000000000000', code, route };
    return this.#call(Reported, 'report_runner_refusal', {
      edge_token: this.#connection.edgeToken(),
      ...args,
    });
  }

  /**
   * Counts a failure to sign, because the transaction that failed was rolled back. Stops the bot if its policy sets a limit
   * of failures and this failure reaches it.
   */
  reportFailure(botId: string, code: string): Promise<ReportedFailure> {
    return this.#call(ReportedFailure, 'report_signing_failure', {
      edge_token: this.#connection.edgeToken(),
      bot_id: botId,
      code,
    });
  }

  async #call<Name extends keyof Functions & string, Schema extends z.ZodType>(
    schema: Schema,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token'>,
    repeatable = false,
  ): Promise<z.infer<Schema>> {
    const { idempotency, callStats = new CallStats(), onTokenChecked } = this.#runner;
    try {
      const found = await callStats.measure(() =>
        callByToken(this.#connection, this.#runner, schema, name, args, { idempotency, repeatable }),
      );
      onTokenChecked?.(true);
      return found;
    } catch (error) {
      // Each function verifies the token before it raises any other problem.
      if (error instanceof RaisedProblem) onTokenChecked?.(error.code !== 'token_invalid');
      throw error;
    }
  }

  #callIdempotent<Name extends IdempotentFunction, Schema extends z.ZodType>(
    schema: Schema,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token'>,
  ): Promise<z.infer<Schema>> {
    const { idempotency } = this.#runner;
    const all = { ...args, ...idempotencyArgument(idempotency) };
    return this.#call(schema, name, all, idempotency !== undefined);
  }
}
