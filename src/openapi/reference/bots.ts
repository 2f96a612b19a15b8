import {
  ADDRESS,
  BOT_ID,
  CHANGED_AT,
  CLIENT_ID,
  config,
  createdBot,
  NEW_ADDRESS,
  NEW_KEY_ID,
  NEW_PRIVATE_KEY,
  PRIVATE_KEY,
  page,
  policy,
  runningBot,
  STARTED_AT,
  stoppedBot,
  wallet,
} from './examples.ts';
import { ADDS_WALLET } from './problems.ts';
import { operations } from './reference.ts';

const { bot_id: _, updated_at: __, ...policyRequest } = policy;

export const bots = operations({
  listBotOptions: {
    tag: 'Bots',
    summary: 'List the bot types that can be set up',
    problems: [],
    responses: {
      200: {
        description: 'The enabled bot types.',
        example: {
          bot_types: [
            {
              id: 'evm-grid',
              name: 'Grid (EVM)',
              description: 'Buys and sells at fixed price levels.',
              chain: 'evm',
            },
          ],
        },
      },
    },
  },
  setupBot: {
    tag: 'Bots',
    summary: "Set up a bot with the client's own key, and start it",
    description:
      'The first private key of a client becomes its trading key. Without `private_key` the bot uses the trading key that the client already has.',
    problems: [...ADDS_WALLET, 'bot_type_unknown', 'bot_limit_reached'],
    request: { bot_type: 'evm-grid', name: 'Grid one', config, private_key: PRIVATE_KEY, address: ADDRESS },
    responses: { 201: { description: 'The running bot.', example: { ...runningBot, config } } },
  },
  listBots: {
    tag: 'Bots',
    summary: "List a client's bots, newest first",
    problems: [],
    responses: { 200: { description: 'A page of bots, without their configs.', example: page(runningBot) } },
  },
  createBot: {
    tag: 'Bots',
    summary: 'Create a bot for a client, with or without private keys (admin)',
    description:
      'The first private key of a client becomes its trading key. Without `wallets` the bot uses the trading key that the client already has. The bot is not started.',
    problems: [...ADDS_WALLET, 'admin_required', 'bot_type_unknown', 'bot_limit_reached'],
    request: {
      client_id: CLIENT_ID,
      name: 'Grid one',
      bot_type: 'evm-grid',
      config,
      wallets: [{ private_key: PRIVATE_KEY, address: ADDRESS }],
    },
    responses: { 201: { description: 'The new bot, not started.', example: { ...createdBot, config } } },
  },
  addWallet: {
    tag: 'Bots',
    summary: 'Add a wallet to a bot (admin)',
    description:
      'With a `private_key` that is not the trading key, the wallet has a key of its own. Without `private_key` it uses the trading key.',
    problems: [...ADDS_WALLET, 'admin_required'],
    request: { private_key: NEW_PRIVATE_KEY },
    responses: {
      201: {
        description: 'The new wallet.',
        example: {
          ...wallet,
          id: '01a2a1c4-5f34-7e12-b7c9-15fad8d2e463',
          address: NEW_ADDRESS,
          key_source: 'own',
          key_id: NEW_KEY_ID,
          bot_id: BOT_ID,
          client_id: CLIENT_ID,
        },
      },
    },
  },
  getBot: {
    tag: 'Bots',
    summary: 'Get a bot with its config',
    problems: [],
    responses: { 200: { description: 'The bot.', example: { ...runningBot, config } } },
  },
  startBot: {
    tag: 'Bots',
    summary: 'Start a bot',
    description: 'A bot that already runs is not changed.',
    problems: ['bot_key_missing', 'chain_mismatch'],
    responses: { 200: { description: 'The running bot.', example: { ...runningBot, config } } },
  },
  stopBot: {
    tag: 'Bots',
    summary: 'Stop a bot',
    description:
      'From then on nothing is signed for the bot. A bot that is already stopped is not changed. No second factor is required.',
    problems: [],
    responses: { 200: { description: 'The stopped bot.', example: { ...stoppedBot, config } } },
  },
  getBotHealth: {
    tag: 'Bots',
    summary: 'Get the health of a bot, and its changes, newest first',
    problems: [],
    responses: {
      200: {
        description: 'The current state, and a page of changes.',
        example: {
          items: [
            {
              id: '01a2a1d0-7a10-7c44-8e0b-6f2c3d4e5a61',
              state: 'healthy',
              since: CHANGED_AT,
              noticed_at: CHANGED_AT,
              detail: null,
            },
          ],
          next_cursor: null,
          bot_id: BOT_ID,
          client_id: CLIENT_ID,
          status: 'running',
          state: 'healthy',
          since: CHANGED_AT,
          detail: null,
          last_heartbeat: {
            status: 'ok',
            message: null,
            metrics: { open_orders: 3, latency_ms: 41 },
            at: CHANGED_AT,
          },
          last_signature_at: STARTED_AT,
          signing_failures: { last_hour: 0, last_code: null, last_at: null },
          monitored_at: CHANGED_AT,
        },
      },
    },
  },
  getPolicy: {
    tag: 'Policies',
    summary: 'Get what a bot may sign',
    problems: [],
    responses: { 200: { description: 'The policy. Null means not limited.', example: policy } },
  },
  setPolicy: {
    tag: 'Policies',
    summary: 'Set what a bot may sign',
    description: 'Replaces the whole policy: a field that is absent or null is not limited.',
    problems: [],
    request: policyRequest,
    responses: {
      200: { description: 'The policy that now applies.', example: { ...policy, updated_at: STARTED_AT } },
    },
  },
});
