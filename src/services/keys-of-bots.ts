/** The use cases that receive a private key. They seal it before the database call. */
import type { CreateBotRequest, SetupBotRequest } from '../contract/bots.ts';
import type { RotateRequest, WalletRequest } from '../contract/keys.ts';
import type { CallerDatabase } from '../database/as-caller.ts';
import { type KeyringSource, sealKey, sealWallet } from './sealing.ts';

export interface Dependencies {
  readonly database: CallerDatabase;
  readonly keyring: KeyringSource;
}

/** An admin creates a bot for a client, with any number of wallets. */
export async function createBot({ database, keyring }: Dependencies, request: CreateBotRequest) {
  const { client_id, bot_type, name, config = {}, wallets = [] } = request;
  const sealed = await Promise.all(
    wallets.map((wallet, index) => sealWallet(wallet, client_id, keyring, `/wallets/${index}`)),
  );
  return database.createBot({ client_id, bot_type, name, config }, sealed);
}

/** A client sets up its own bot. The bot is running afterwards. */
export async function setupBot(
  { database, keyring }: Dependencies,
  clientId: string,
  request: SetupBotRequest,
) {
  const { bot_type, name = bot_type, config = {}, ...key } = request;
  const wallet = await sealWallet(key, clientId, keyring);
  return database.setupBot({ client_id: clientId, bot_type, name, config }, wallet);
}

/** An admin adds a wallet to a bot. With a key, the bot is read first, because an envelope is bound to its client. */
export async function addWallet({ database, keyring }: Dependencies, botId: string, request: WalletRequest) {
  const clientId = request.private_key === undefined ? '' : (await database.getBot(botId)).client_id;
  return database.addWallet(botId, await sealWallet(request, clientId, keyring));
}

/** A client, or an admin for it, replaces its trading key. All wallets get copies of one envelope. */
export async function rotateKey(
  { database, keyring }: Dependencies,
  clientId: string,
  request: RotateRequest,
) {
  return database.rotateKey(clientId, await sealKey(request, clientId, keyring));
}
