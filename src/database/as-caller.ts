import type { z } from 'zod';
import { Bot, BotOptions, BotPage } from '../contract/bots.ts';
import { Client, ClientPage } from '../contract/clients.ts';
import { AddedWallet, Revocation, Rotation, TradingKey } from '../contract/keys.ts';
import { Policy, type PolicyRequest } from '../contract/policies.ts';
import { Token, TokenPage } from '../contract/tokens.ts';
import { asJson, callFunction, type Functions } from './call.ts';
import type { Connection } from './connect.ts';

export interface Caller {
  /** The verified access token. */
  readonly token: string;
  readonly requestId: string;
}

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

export interface Page {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

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

  createClient(name: string, email: string) {
    return this.#call(Client, 'create_client', { name, email });
  }
  listClients(page: Page) {
    return this.#call(ClientPage, 'list_clients', pageArguments(page));
  }
  getClient(clientId: string) {
    return this.#call(Client, 'get_client', { client_id: clientId });
  }
  getOwnClient() {
    return this.#call(Client, 'get_own_client', {});
  }
  listBotOptions(clientId: string) {
    return this.#call(BotOptions, 'list_bot_options', { client_id: clientId });
  }

  createBot(bot: NewBot, wallets: readonly NewWallet[]) {
    return this.#call(Bot, 'create_bot', { ...bot, config: asJson(bot.config), wallets: asJson(wallets) });
  }
  setUpBot(bot: NewBot, wallet: NewWallet) {
    return this.#call(Bot, 'setup_bot', { ...bot, config: asJson(bot.config), wallet: asJson(wallet) });
  }
  addWallet(botId: string, wallet: NewWallet) {
    return this.#call(AddedWallet, 'add_wallet', { bot_id: botId, wallet: asJson(wallet) });
  }
  listBots(clientId: string, page: Page) {
    return this.#call(BotPage, 'list_bots', { client_id: clientId, ...pageArguments(page) });
  }
  getBot(botId: string) {
    return this.#call(Bot, 'get_bot', { bot_id: botId });
  }
  startBot(botId: string) {
    return this.#call(Bot, 'start_bot', { bot_id: botId });
  }
  stopBot(botId: string) {
    return this.#call(Bot, 'stop_bot', { bot_id: botId });
  }

  getTradingKey(clientId: string) {
    return this.#call(TradingKey, 'get_trading_key', { client_id: clientId });
  }
  rotateKey(clientId: string, key: SealedWallet) {
    return this.#call(Rotation, 'rotate_key', { client_id: clientId, ...key });
  }
  revokeKey(clientId: string) {
    return this.#call(Revocation, 'revoke_key', { client_id: clientId });
  }

  issueToken(botId: string, token: NewToken) {
    return this.#call(Token, 'issue_token', { bot_id: botId, ...token });
  }
  listTokens(botId: string) {
    return this.#call(TokenPage, 'list_tokens', { bot_id: botId });
  }
  revokeToken(tokenId: string) {
    return this.#call(Token, 'revoke_token', { token_id: tokenId });
  }

  getPolicy(botId: string) {
    return this.#call(Policy, 'get_policy', { bot_id: botId });
  }
  setPolicy(botId: string, policy: PolicyRequest) {
    return this.#call(Policy, 'set_policy', { bot_id: botId, policy: asJson(policy) });
  }

  #call<Name extends keyof Functions & string, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Functions[Name]['Args'],
  ): Promise<z.infer<Answer>> {
    return callFunction(this.#connection, this.#caller, answer, name, args);
  }
}

function pageArguments({ limit, cursor }: Page) {
  return { page_size: limit, ...(cursor !== undefined && { after: cursor }) };
}
