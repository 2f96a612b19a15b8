import { z } from 'zod';
import { CheckpointPage, KeyEventPage, type KeyEventQuery, type SeqPageQuery } from '../contract/audit.ts';
import { BotHealth } from '../contract/bot-health.ts';
import { Bot, BotOptions, BotPage } from '../contract/bots.ts';
import { Client, ClientPage } from '../contract/clients.ts';
import { AddedWallet, Revocation, Rotation, TradingKey } from '../contract/keys.ts';
import { Policy, type PolicyRequest } from '../contract/policies.ts';
import { Token, TokenPage } from '../contract/tokens.ts';
import { Problem } from '../problem.ts';
import { asJson, callFunction, type Functions } from './call.ts';
import { CallStats } from './call-stats.ts';
import type { Connection } from './connection.ts';
import { type IdempotentFunction, type IdempotentRequest, idempotencyArgument } from './idempotency.ts';
import { type Page, pageArguments } from './page.ts';
import type { Session } from './session.ts';

export interface Caller {
  /** The verified session. */
  readonly session: Session;
  readonly requestId: string;
  readonly idempotency?: IdempotentRequest;
  readonly callStats?: CallStats;
}

const EnvelopeCounts = z.object({
  items: z.array(
    z.object({
      master_key_id: z.string(),
      trading_keys: z.int(),
      copies: z.int(),
      own_keys: z.int(),
    }),
  ),
});

/** A sealed key, in the form that the database functions take. */
export interface SealedWallet {
  readonly address: string;
  readonly chain: string;
  readonly key_id: string;
  readonly encrypted_key: string;
}

/**
 * A wallet to add. Without a sealed key, the wallet gets a copy of the trading key. An `address` or `chain` must then be
 * that of the trading key.
 */
export type NewWallet = SealedWallet | { readonly address?: string; readonly chain?: string };

export interface NewBot {
  readonly client_id: string;
  readonly bot_type: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface NewToken {
  readonly name: string;
  /** SHA-256 of the token, in hex. */
  readonly token_hash: string;
  readonly other_bot_ids: string[];
  readonly expires_at?: string;
}

/** `recorded` is false if no audit chain exists for the rejected request. */
export const Reported = z.object({ recorded: z.boolean() });

/** The resource that a rejected request names, if it names one. */
export interface RefusalTarget {
  readonly client_id?: string;
  readonly bot_id?: string;
  readonly token_id?: string;
}

/** `replayed`: an earlier request issued the token. The token itself was returned then and is not stored. */
const NewlyIssuedToken = Token.extend({ replayed: z.boolean().default(false) });

/**
 * The database functions of a session. Each method calls one function in one transaction. It runs under the caller's own
 * access token, so that row-level security decides. All throw `Problem`.
 */
export class CallerDatabase {
  readonly #connection: Connection;
  readonly #caller: Caller;

  constructor(connection: Connection, caller: Caller) {
    this.#connection = connection;
    this.#caller = caller;
  }

  /** The same database for a request with an Idempotency-Key: its change is made once. */
  withIdempotency(idempotency: IdempotentRequest): CallerDatabase {
    return new CallerDatabase(this.#connection, { ...this.#caller, idempotency });
  }

  createClient(name: string, email: string, linkAccount: boolean) {
    return this.#callIdempotent(Client, 'create_client', { name, email, link_account: linkAccount });
  }
  listClients(page: Page) {
    return this.#read(ClientPage, 'list_clients', pageArguments(page));
  }
  getClient(clientId: string) {
    return this.#read(Client, 'get_client', { client_id: clientId });
  }
  getOwnClient() {
    return this.#read(Client, 'get_own_client', {});
  }
  listBotOptions(clientId: string) {
    return this.#read(BotOptions, 'list_bot_options', { client_id: clientId });
  }

  createBot(bot: NewBot, wallets: readonly NewWallet[]) {
    return this.#callIdempotent(Bot, 'create_bot', {
      edge_token: this.#connection.edgeToken(),
      ...bot,
      config: asJson(bot.config),
      wallets: asJson(wallets),
    });
  }
  setupBot(bot: NewBot, wallet: NewWallet) {
    return this.#callIdempotent(Bot, 'setup_bot', {
      edge_token: this.#connection.edgeToken(),
      ...bot,
      config: asJson(bot.config),
      wallet: asJson(wallet),
    });
  }
  addWallet(botId: string, wallet: NewWallet) {
    return this.#callIdempotent(AddedWallet, 'add_wallet', {
      edge_token: this.#connection.edgeToken(),
      bot_id: botId,
      wallet: asJson(wallet),
    });
  }
  listBots(clientId: string, page: Page) {
    return this.#read(BotPage, 'list_bots', { client_id: clientId, ...pageArguments(page) });
  }
  getBot(botId: string) {
    return this.#read(Bot, 'get_bot', { bot_id: botId });
  }
  startBot(botId: string) {
    return this.#callIdempotent(Bot, 'start_bot', { bot_id: botId });
  }
  stopBot(botId: string) {
    // Repeatable without an Idempotency-Key, because a second stop changes nothing. Starting, rotating and setting a policy
    // are repeatable only with a key: a second call could undo a stop, a rotation or a stricter policy that another caller
    // made in between.
    return this.#call(Bot, 'stop_bot', { bot_id: botId }, true);
  }

  getBotHealth(botId: string, page: Page) {
    return this.#read(BotHealth, 'get_bot_health', { bot_id: botId, ...pageArguments(page) });
  }

  getTradingKey(clientId: string) {
    return this.#read(TradingKey, 'get_trading_key', { client_id: clientId });
  }
  rotateKey(clientId: string, key: SealedWallet) {
    return this.#callIdempotent(Rotation, 'rotate_key', {
      edge_token: this.#connection.edgeToken(),
      client_id: clientId,
      ...key,
    });
  }
  async revokeKey(clientId: string) {
    try {
      return await this.#call(Revocation, 'revoke_key_at_edge', {
        edge_token: this.#connection.edgeToken(),
        client_id: clientId,
      });
    } catch (error) {
      // A session alone can revoke. With the edge token, the database lets the revocation wait longer for its locks.
      if (!(error instanceof Problem && error.code.startsWith('edge_token_'))) throw error;
      return this.#call(Revocation, 'revoke_key', { client_id: clientId });
    }
  }

  /** The number of envelopes by the master key that sealed them. */
  async countEnvelopes() {
    return (await this.#read(EnvelopeCounts, 'count_envelopes', {})).items;
  }

  issueToken(botId: string, token: NewToken) {
    // Never repeated, even with an Idempotency-Key. The first call has stored the hash of the token, and the repeated call
    // would respond without the token, so nobody would have it.
    return this.#callIdempotent(NewlyIssuedToken, 'issue_token', { bot_id: botId, ...token }, false);
  }
  listTokens(botId: string, page: Page) {
    return this.#read(TokenPage, 'list_tokens', { bot_id: botId, ...pageArguments(page) });
  }
  revokeToken(tokenId: string) {
    return this.#call(Token, 'revoke_token', { token_id: tokenId });
  }

  getPolicy(botId: string) {
    return this.#read(Policy, 'get_policy', { bot_id: botId });
  }
  setPolicy(botId: string, policy: PolicyRequest) {
    return this.#call(Policy, 'set_policy', { bot_id: botId, policy: asJson(policy) });
  }

  listKeyEvents(clientId: string, { event, ...page }: KeyEventQuery) {
    const about = { client_id: clientId, ...(event !== undefined && { event }) };
    return this.#read(KeyEventPage, 'list_key_events', { ...about, ...seqPageArguments(page) });
  }
  listDeploymentEvents({ event, ...page }: KeyEventQuery) {
    const about = { ...(event !== undefined && { event }) };
    return this.#read(KeyEventPage, 'list_deployment_events', { ...about, ...seqPageArguments(page) });
  }
  listDeploymentCheckpoints(page: SeqPageQuery) {
    return this.#read(CheckpointPage, 'list_deployment_checkpoints', seqPageArguments(page));
  }
  listCheckpoints(clientId: string, page: SeqPageQuery) {
    return this.#read(CheckpointPage, 'list_checkpoints', { client_id: clientId, ...seqPageArguments(page) });
  }
  /**
   * Records a rejected request: in the audit chain of the resource that it names, if the caller may see that resource, and
   * otherwise in the chain of the caller's own client.
   */
  reportRefusal(target: RefusalTarget, code: string, route: string) {
    return this.#call(Reported, 'report_refusal', {
      edge_token: this.#connection.edgeToken(),
      ...target,
      code,
      route,
    });
  }

  /** Calls a function that only reads, so that the call is repeatable. */
  #read<Name extends keyof Functions & string, Schema extends z.ZodType>(
    schema: Schema,
    name: Name,
    args: Functions[Name]['Args'],
  ): Promise<z.infer<Schema>> {
    return this.#call(schema, name, args, true);
  }

  #call<Name extends keyof Functions & string, Schema extends z.ZodType>(
    schema: Schema,
    name: Name,
    args: Functions[Name]['Args'],
    repeatable = false,
  ): Promise<z.infer<Schema>> {
    const { callStats = new CallStats() } = this.#caller;
    return callStats.measure(() =>
      callFunction(this.#connection, { ...this.#caller, repeatable }, schema, name, args),
    );
  }

  #callIdempotent<Name extends IdempotentFunction, Schema extends z.ZodType>(
    schema: Schema,
    name: Name,
    args: Functions[Name]['Args'],
    repeatable = this.#caller.idempotency !== undefined,
  ): Promise<z.infer<Schema>> {
    const all = { ...args, ...idempotencyArgument(this.#caller.idempotency) };
    return this.#call(schema, name, all as Functions[Name]['Args'], repeatable);
  }
}

function seqPageArguments({ limit, cursor, order }: SeqPageQuery) {
  return {
    page_size: limit,
    oldest_first: order === 'oldest',
    ...(cursor !== undefined && { after: Number(cursor) }),
  };
}
