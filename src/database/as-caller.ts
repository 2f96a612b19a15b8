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
import type { Connection } from './connection.ts';
import { asArgument, type Once, type OnceFunction } from './once.ts';
import { type Page, pageArguments } from './page.ts';
import type { Session } from './session.ts';
import { Tally } from './tally.ts';

export interface Caller {
  /** The verified session. */
  readonly session: Session;
  readonly requestId: string;
  readonly once?: Once;
  readonly tally?: Tally;
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

/** A sealed key, as the database's functions take it. */
export interface SealedWallet {
  readonly address: string;
  readonly chain: string;
  readonly key_id: string;
  readonly encrypted_key: string;
}

/** A wallet to add: a sealed key, or none for a copy of the trading key (whose address and chain may be named). */
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

/** Whether there was a chain to write it into. */
export const Reported = z.object({ recorded: z.boolean() });

/** What a refused request was about, as far as it named it. */
export interface RefusalTarget {
  readonly client_id?: string;
  readonly bot_id?: string;
  readonly token_id?: string;
}

/** Of an earlier call, the token was told then and its hash is the one that is stored. */
const NewlyIssuedToken = Token.extend({ replayed: z.boolean().default(false) });

/**
 * The database as one caller sees it: every method is one function, one transaction, one round trip, and runs
 * under the caller's own token, so that row-level security decides. All throw `Problem`.
 */
export class CallerDatabase {
  readonly #connection: Connection;
  readonly #caller: Caller;

  constructor(connection: Connection, caller: Caller) {
    this.#connection = connection;
    this.#caller = caller;
  }

  /** The same for one request that may be sent again: what it changes is changed once. */
  once(once: Once): CallerDatabase {
    return new CallerDatabase(this.#connection, { ...this.#caller, once });
  }

  createClient(name: string, email: string, linkAccount: boolean) {
    return this.#callOnce(Client, 'create_client', { name, email, link_account: linkAccount });
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
    return this.#callOnce(Bot, 'create_bot', {
      edge_token: this.#connection.edgeToken(),
      ...bot,
      config: asJson(bot.config),
      wallets: asJson(wallets),
    });
  }
  setupBot(bot: NewBot, wallet: NewWallet) {
    return this.#callOnce(Bot, 'setup_bot', {
      edge_token: this.#connection.edgeToken(),
      ...bot,
      config: asJson(bot.config),
      wallet: asJson(wallet),
    });
  }
  addWallet(botId: string, wallet: NewWallet) {
    return this.#callOnce(AddedWallet, 'add_wallet', {
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
    return this.#callOnce(Bot, 'start_bot', { bot_id: botId });
  }
  stopBot(botId: string) {
    // Repeated if the database does not respond: stopping twice is stopping once, with or without an Idempotency-Key.
    // Starting, rotating and setting a policy are repeated only under a key: a second call could undo the stop, the
    // rotation or the stricter policy that somebody else made in between.
    return this.#call(Bot, 'stop_bot', { bot_id: botId }, true);
  }

  getBotHealth(botId: string, page: Page) {
    return this.#read(BotHealth, 'get_bot_health', { bot_id: botId, ...pageArguments(page) });
  }

  getTradingKey(clientId: string) {
    return this.#read(TradingKey, 'get_trading_key', { client_id: clientId });
  }
  rotateKey(clientId: string, key: SealedWallet) {
    return this.#callOnce(Rotation, 'rotate_key', {
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
      // A session alone can revoke. The edge token only lets the revocation wait longer.
      if (!(error instanceof Problem && error.code.startsWith('edge_token_'))) throw error;
      return this.#call(Revocation, 'revoke_key', { client_id: clientId });
    }
  }

  /** Envelopes for each master key that sealed any. */
  async countEnvelopes() {
    return (await this.#read(EnvelopeCounts, 'count_envelopes', {})).items;
  }

  issueToken(botId: string, token: NewToken) {
    // Not asked again, under no key either: the answer would be the first one without the token, which nobody then has.
    return this.#callOnce(NewlyIssuedToken, 'issue_token', { bot_id: botId, ...token }, false);
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
  /** Writes into a chain that something was refused: that of what it was about, if the caller may see it. */
  reportRefusal(target: RefusalTarget, code: string, route: string) {
    return this.#call(Reported, 'report_refusal', {
      edge_token: this.#connection.edgeToken(),
      ...target,
      code,
      route,
    });
  }

  /** A function that changes nothing that it answers: asked a second time, it does what it did. */
  #read<Name extends keyof Functions & string, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Functions[Name]['Args'],
  ): Promise<z.infer<Answer>> {
    return this.#call(answer, name, args, true);
  }

  #call<Name extends keyof Functions & string, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Functions[Name]['Args'],
    repeatable = false,
  ): Promise<z.infer<Answer>> {
    const { tally = new Tally() } = this.#caller;
    return tally.count(() =>
      callFunction(this.#connection, { ...this.#caller, repeatable }, answer, name, args),
    );
  }

  #callOnce<Name extends OnceFunction, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Functions[Name]['Args'],
    repeatable = this.#caller.once !== undefined,
  ): Promise<z.infer<Answer>> {
    const all = { ...args, ...asArgument(this.#caller.once) };
    return this.#call(answer, name, all as Functions[Name]['Args'], repeatable);
  }
}

function seqPageArguments({ limit, cursor, order }: SeqPageQuery) {
  return {
    page_size: limit,
    oldest_first: order === 'oldest',
    ...(cursor !== undefined && { after: Number(cursor) }),
  };
}
