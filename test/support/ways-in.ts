/** The four routes that accept a private key. */
import type { Answer } from './api.ts';
import { addWallet, create, rotate, setUp } from './bots.ts';
import { type ClientPerson, newAdmin } from './people.ts';
import { newEvmKey, newSolanaKey } from './private-keys.ts';

const admin = await newAdmin();

export interface WayIn {
  /** The pointer of the key in the body. */
  readonly at: string;
  /** Sends `{address?, private_key?, chain?}` for a client that is prepared for this route. */
  readonly send: (client: ClientPerson, body: object, chain: string) => Promise<Answer>;
}

export const WAYS_IN: Readonly<Record<string, WayIn>> = {
  'POST /bots/create': {
    at: '/wallets/0',
    send: async (client, body, chain) =>
      create(admin, client, { bot_type: `${chain}-grid`, wallets: [body] }),
  },
  'POST /bots/{id}/wallets': {
    at: '',
    send: async (client, body, chain) => {
      const bot = await create(admin, client, { bot_type: `${chain}-grid` });
      return addWallet(admin, bot.json.id, body);
    },
  },
  'POST /clients/{id}/setup-bot': {
    at: '',
    send: async (client, body, chain) => setUp(client, { bot_type: `${chain}-grid`, ...body }),
  },
  'PUT /clients/{id}/rotate-key': {
    at: '',
    send: async (client, body, chain) => {
      const first = chain === 'evm' ? newEvmKey() : newSolanaKey();
      await setUp(client, { bot_type: `${chain}-dca`, private_key: first.privateKey });
      return rotate(client, body);
    },
  },
};
