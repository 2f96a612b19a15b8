import {
  ADDRESS,
  BOT_ID,
  CHANGED_AT,
  config,
  KEY_ID,
  NEW_ADDRESS,
  page,
  runnerBot,
  token,
} from './examples.ts';
import { OPENS_KEY } from './problems.ts';
import { operations } from './reference.ts';

export const runners = operations({
  issueToken: {
    tag: 'Machine tokens',
    summary: 'Issue a machine token that signs for a bot',
    description: 'The response has the token itself. No later response has it.',
    problems: ['token_limit_reached'],
    request: { name: token.name, expires_at: token.expires_at },
    responses: {
      201: {
        description: 'The new token.',
        example: { ...token, last_used_at: null, token: 'tk_EXAMPLE-shown-only-once' },
      },
    },
  },
  listTokens: {
    tag: 'Machine tokens',
    summary: 'List the machine tokens that sign for a bot, newest first',
    problems: [],
    responses: {
      200: { description: 'A page of tokens, without the tokens themselves.', example: page(token) },
    },
  },
  revokeToken: {
    tag: 'Machine tokens',
    summary: 'Revoke a machine token',
    description:
      'From then on the token signs for no bot. If a client revokes a token that an admin issued for bots of several clients, it signs for none of the client’s own bots. No second factor is required.',
    problems: [],
    responses: { 200: { description: 'The revoked token.', example: token } },
  },
  sign: {
    tag: 'Execution',
    summary: 'Sign a transaction, typed data or a message for a running bot (runner)',
    description:
      'The policy of the bot is checked against the exact bytes that are signed. The private key is never in a response.',
    problems: [
      ...OPENS_KEY,
      'address_checksum_invalid',
      'address_malformed',
      'bot_key_missing',
      'bot_not_running',
      'chain_mismatch',
      'wallet_key_changed',
      'key_decryption_failed',
      'message_malformed',
      'message_is_transaction',
      'message_too_long',
      'policy_chain_denied',
      'policy_value_24h_exceeded',
      'policy_kind_denied',
      'policy_recipient_denied',
      'policy_value_exceeded',
      'transaction_malformed',
      'typed_data_malformed',
      'wallet_not_signer',
      'wallet_ambiguous',
    ],
    request: {
      type: 'evm.transaction',
      transaction: {
        type: '0x2',
        chainId: '0x1',
        nonce: '0x0',
        to: NEW_ADDRESS,
        value: '1000000000000000',
        gas: '21000',
        maxFeePerGas: '30000000000',
        maxPriorityFeePerGas: '1000000000',
      },
    },
    responses: {
      200: {
        description: 'The signature, the address that signed and the id of its key.',
        example: {
          signature:
            '0x174a5f77dbf29b587b9852fb662c8b5b0b14e06229eabadb311e4a6b8147291132fa4c102f888a272fa8b2874d2de0157a4717e0395d33588901fc668529ad3a1c',
          signed_transaction:
            '0x02f8720180843b9aca008506fc23ac00825208942b5ad5c4795c026514f8317c7a215e218dccd6cf87038d7ea4c6800080c001a0174a5f77dbf29b587b9852fb662c8b5b0b14e06229eabadb311e4a6b81472911a032fa4c102f888a272fa8b2874d2de0157a4717e0395d33588901fc668529ad3a',
          address: ADDRESS,
          key_id: KEY_ID,
        },
      },
    },
  },
  listRunnerBots: {
    tag: 'Execution',
    summary: 'List the running bots of a machine token with their wallets, newest first (runner)',
    problems: [],
    responses: {
      200: { description: 'A page of running bots, without their configs.', example: page(runnerBot) },
    },
  },
  getRunnerBot: {
    tag: 'Execution',
    summary: 'Get a bot of a machine token with its config (runner)',
    description: 'The bot may be running or stopped.',
    problems: [],
    responses: { 200: { description: 'The bot.', example: { ...runnerBot, config } } },
  },
  recordHeartbeat: {
    tag: 'Execution',
    summary: 'Report the state of a bot (runner)',
    description: 'The response states whether the bot should still run. A runner ends a bot that is stopped.',
    problems: [],
    request: { status: 'ok', metrics: { open_orders: 3, latency_ms: 41 } },
    responses: {
      200: {
        description: 'The heartbeat was recorded.',
        example: { bot_id: BOT_ID, bot_status: 'running', recorded_at: CHANGED_AT },
      },
    },
  },
});
