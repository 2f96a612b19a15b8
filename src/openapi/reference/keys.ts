import {
  ADDRESS,
  CHANGED_AT,
  CLIENT_ID,
  KEY_ID,
  NEW_ADDRESS,
  NEW_KEY_ID,
  NEW_PRIVATE_KEY,
  TOKEN_ID,
  tradingKey,
} from './examples.ts';
import { OPENS_KEY, STORES_KEY } from './problems.ts';
import { operations } from './reference.ts';

export const keys = operations({
  getTradingKey: {
    tag: 'Keys',
    summary: 'Get the address and dates of the trading key of a client',
    description: 'The response has the address and the dates. It never has the private key.',
    problems: ['trading_key_missing'],
    responses: { 200: { description: 'The trading key, without the private key.', example: tradingKey } },
  },
  rotateKey: {
    tag: 'Keys',
    summary: 'Replace the trading key of a client, in every wallet of every bot',
    description:
      'The old key signs nothing more. Funds stay at the old address: move them before the rotation. A new key of another chain family stops the bots that cannot use it.',
    problems: [...STORES_KEY, 'trading_key_missing'],
    request: { private_key: NEW_PRIVATE_KEY, address: NEW_ADDRESS },
    responses: {
      200: {
        description: 'The new trading key, and what changed.',
        example: {
          ...tradingKey,
          address: NEW_ADDRESS,
          key_id: NEW_KEY_ID,
          version: 2,
          rotated_at: CHANGED_AT,
          age_seconds: 0,
          wallets_updated: 1,
          wallets_merged: 0,
          bots_stopped: 0,
        },
      },
    },
  },
  revokeKey: {
    tag: 'Keys',
    summary: 'Delete every key of a client, and stop its bots',
    description:
      'Deletes every ciphertext of the client, stops every bot and ends the machine tokens of its bots. Funds stay at their addresses. Neither a master key nor a second factor is required.',
    problems: ['trading_key_missing'],
    responses: {
      200: {
        description: 'What was revoked and stopped.',
        example: {
          client_id: CLIENT_ID,
          address: ADDRESS,
          key_id: KEY_ID,
          revoked_at: CHANGED_AT,
          bots_stopped: 1,
          wallets_cleared: 1,
          tokens_ended: [TOKEN_ID],
        },
      },
    },
  },
  getKeysStatus: {
    tag: 'Keys',
    summary: 'Count the ciphertexts of each master key (admin)',
    problems: ['admin_required', ...OPENS_KEY],
    responses: {
      200: {
        description: 'Every master key that is in ENCRYPTION_KEY or encrypted a stored key.',
        example: {
          master_keys: [
            {
              id: tradingKey.master_key_id,
              role: 'primary',
              trading_keys: 1,
              copies: 1,
              own_keys: 0,
              envelopes: 2,
            },
          ],
          to_rewrap: 0,
          unopenable: 0,
        },
      },
    },
  },
});
