import { createRoute } from '@hono/zod-openapi';
import { Bot, CreateBotRequest } from '../contract/bots.ts';
import { IdParam } from '../contract/common.ts';
import { AddedWallet, WalletRequest } from '../contract/keys.ts';
import { requireJson } from '../middleware/body.ts';
import { idempotent } from '../middleware/idempotency.ts';
import {
  answers,
  ENDING,
  IdempotencyKey,
  jsonBody,
  KEY_CHANGE,
  newRouter,
  SESSION,
  UnneededIdempotencyKey,
} from '../openapi/route.ts';
import { addWallet, createBot } from '../services/keys-of-bots.ts';

export const bots = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: '/bots/create',
      tags: ['Bots'],
      summary: 'Create a bot for a client, with or without keys (admin)',
      security: KEY_CHANGE,
      middleware: [requireJson, idempotent],
      parameters: [IdempotencyKey],
      request: { body: jsonBody(CreateBotRequest) },
      responses: answers(201, Bot, 'The bot, not yet started.'),
    }),
    async (c) => {
      const { database, runtime } = c.var;
      const bot = await createBot({ database, keyring: runtime.keyring }, c.req.valid('json'));
      return c.json(bot, 201, { location: `/bots/${bot.id}` });
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/bots/{id}/wallets',
      tags: ['Bots'],
      summary: 'Add a wallet to a bot (admin)',
      security: KEY_CHANGE,
      middleware: [requireJson, idempotent],
      parameters: [IdempotencyKey],
      request: { params: IdParam, body: jsonBody(WalletRequest) },
      responses: answers(201, AddedWallet, 'The wallet.'),
    }),
    async (c) => {
      const { database, runtime } = c.var;
      const { id } = c.req.valid('param');
      return c.json(await addWallet({ database, keyring: runtime.keyring }, id, c.req.valid('json')), 201);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/bots/{id}',
      tags: ['Bots'],
      summary: 'One bot',
      security: SESSION,
      request: { params: IdParam },
      responses: answers(200, Bot, 'The bot.'),
    }),
    async (c) => c.json(await c.var.database.getBot(c.req.valid('param').id), 200),
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/bots/{id}/start',
      tags: ['Bots'],
      summary: 'Start a bot; a running one stays as it is',
      security: KEY_CHANGE,
      middleware: [idempotent],
      parameters: [IdempotencyKey],
      request: { params: IdParam },
      responses: answers(200, Bot, 'The running bot.'),
    }),
    async (c) => c.json(await c.var.database.startBot(c.req.valid('param').id), 200),
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/bots/{id}/stop',
      tags: ['Bots'],
      summary: 'Stop a bot; a stopped one stays as it is',
      security: ENDING,
      middleware: [idempotent],
      parameters: [UnneededIdempotencyKey],
      request: { params: IdParam },
      responses: answers(200, Bot, 'The stopped bot.'),
    }),
    async (c) => c.json(await c.var.database.stopBot(c.req.valid('param').id), 200),
  );
