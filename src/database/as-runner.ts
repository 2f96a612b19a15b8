import { z } from 'zod';
import { Heartbeat, type HeartbeatRequest, RunnerBot, RunnerBotPage } from '../contract/runner.ts';
import { Reported } from './as-caller.ts';
import { asJson, callByToken, type Functions } from './call.ts';
import type { Connection } from './connection.ts';
import { RaisedProblem } from './errors.ts';
import { asArgument, type Once, type OnceFunction } from './once.ts';
import { type Page, pageArguments } from './page.ts';
import { Tally } from './tally.ts';

export interface Runner {
  /** The machine token. */
  readonly token: string;
  readonly requestId: string;
  readonly once?: Once;
  readonly tally?: Tally;
  /** Called if a call shows whether the database knows the token. */
  readonly onTokenChecked?: (isKnown: boolean) => void;
}

/** What the bot's policy judges and the event keeps. */
export interface SigningClaim {
  readonly kind: string;
  readonly chain_id: string | null;
  readonly recipients: readonly string[];
  /** Decimal. */
  readonly value: string;
  readonly opaque: boolean;
  /** Of which one must be the wallet's. */
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

const ReportedFailure = z.object({ failures: z.number(), quarantined: z.boolean() });
export type ReportedFailure = z.infer<typeof ReportedFailure>;

/**
 * The database as a machine token sees it: functions that each begin by finding the token, called without a session.
 * All throw `Problem`.
 */
export class RunnerDatabase {
  readonly #connection: Connection;
  readonly #runner: Runner;

  constructor(connection: Connection, runner: Runner) {
    this.#connection = connection;
    this.#runner = runner;
  }

  /** The same for one request that may be sent again: what it changes is changed once. */
  once(once: Once): RunnerDatabase {
    return new RunnerDatabase(this.#connection, { ...this.#runner, once });
  }

  // Reads may be repeated: they note that the token is in use, once a minute however often they are called.
  listBots(page: Page) {
    return this.#call(RunnerBotPage, 'list_runner_bots', pageArguments(page), true);
  }
  getBot(botId: string) {
    return this.#call(RunnerBot, 'get_runner_bot', { bot_id: botId }, true);
  }
  recordHeartbeat(botId: string, { status, message, metrics }: HeartbeatRequest) {
    return this.#callOnce(Heartbeat, 'record_heartbeat', {
      bot_id: botId,
      status,
      ...(message !== undefined && { message }),
      ...(metrics !== undefined && { metrics: asJson(metrics) }),
    });
  }
  /** Lets an envelope out, once token, bot, wallet and policy allow it; the event is written and the value reserved. */
  checkOutKey(botId: string, signing: SigningClaim, wallet: string | undefined): Promise<CheckedOutKey> {
    return this.#callOnce(CheckedOutKey, 'check_out_key', {
      edge_token: this.#connection.edgeToken(),
      bot_id: botId,
      signing: asJson(signing),
      ...(wallet !== undefined && { wallet }),
    });
  }

  /** Writes into the chain of the bot's client, or of the token's, that something was refused. */
  reportRefusal(botId: string | undefined, code: string, route: string) {
    // The database cannot read such an id, so the token has no such bot.
    const args = { bot_id: botId ?? '00000000-0000-0000-0000-000000000000', code, route };
    return this.#call(Reported, 'report_runner_refusal', {
      edge_token: this.#connection.edgeToken(),
      ...args,
    });
  }

  /** Counts a failure to sign, which the refusal itself rolled back; may stop the bot, where its policy says so. */
  reportFailure(botId: string, code: string): Promise<ReportedFailure> {
    return this.#call(ReportedFailure, 'report_signing_failure', {
      edge_token: this.#connection.edgeToken(),
      bot_id: botId,
      code,
    });
  }

  async #call<Name extends keyof Functions & string, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token'>,
    repeatable = false,
  ): Promise<z.infer<Answer>> {
    const { once, tally = new Tally(), onTokenChecked } = this.#runner;
    try {
      const found = await tally.count(() =>
        callByToken(this.#connection, this.#runner, answer, name, args, { once, repeatable }),
      );
      onTokenChecked?.(true);
      return found;
    } catch (error) {
      // Each function finds the token before it raises anything else.
      if (error instanceof RaisedProblem) onTokenChecked?.(error.code !== 'token_invalid');
      throw error;
    }
  }

  #callOnce<Name extends OnceFunction, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token'>,
  ): Promise<z.infer<Answer>> {
    const { once } = this.#runner;
    return this.#call(answer, name, { ...args, ...asArgument(once) }, once !== undefined);
  }
}
