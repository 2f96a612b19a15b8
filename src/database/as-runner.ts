import { z } from 'zod';
import { Heartbeat, type HeartbeatRequest, RunnerBots } from '../contract/runner.ts';
import { asJson, callFunction, type Functions } from './call.ts';
import type { Connection } from './connect.ts';

export interface Runner {
  /** SHA-256 of the machine token, in hex. */
  readonly tokenHash: string;
  readonly requestId: string;
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

/**
 * The database as a machine token sees it: three functions that each begin by finding the token, called without a
 * session. All throw `Problem`.
 */
export class RunnerDatabase {
  readonly #connection: Connection;
  readonly #runner: Runner;

  constructor(connection: Connection, runner: Runner) {
    this.#connection = connection;
    this.#runner = runner;
  }

  listBots() {
    return this.#call(RunnerBots, 'list_runner_bots', {});
  }
  recordHeartbeat(botId: string, { status, message, metrics }: HeartbeatRequest) {
    return this.#call(Heartbeat, 'record_heartbeat', {
      bot_id: botId,
      status,
      ...(message !== undefined && { message }),
      ...(metrics !== undefined && { metrics: asJson(metrics) }),
    });
  }
  /** Lets an envelope out, once token, bot, wallet and policy allow it; the event is written and the value reserved. */
  checkOutKey(botId: string, signing: SigningClaim, wallet: string | undefined): Promise<CheckedOutKey> {
    return this.#call(CheckedOutKey, 'check_out_key', {
      bot_id: botId,
      signing: asJson(signing),
      ...(wallet !== undefined && { wallet }),
    });
  }

  #call<Name extends keyof Functions & string, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token_hash'>,
  ): Promise<z.infer<Answer>> {
    const { tokenHash, requestId } = this.#runner;
    const all = { ...args, token_hash: tokenHash } as Functions[Name]['Args'];
    return callFunction(this.#connection, { requestId }, answer, name, all);
  }
}
