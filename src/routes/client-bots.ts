import { createRoute } from '@hono/zod-openapi';
import { Bot, BotOptions, BotPage, SetupBotRequest } from '../contract/bots.ts';
import { IdParam, PageQuery } from '../contract/common.ts';
import { requireJson } from '../middleware/body.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, IdempotencyKey, jsonBody, KEY_CHANGE, newRouter, SESSION } from '../openapi/route.ts';
import { setupBot } from '../services/keys-of-bots.ts';

export const clientBots = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/clients/{id}/bot-options',
      tags: ['Bots'],
      summary: 'The bot types on offer',
      security: SESSION,
      request: { params: IdParam },
      responses: answers(200, BotOptions, 'The enabled bot types.'),
    }),
    async (c) => c.json(await c.var.database.listBotOptions(c.req.valid('param').id), 200),
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/clients/{id}/setup-bot',
      tags: ['Bots'],
      summary: "Set up a bot with the client's own key; it starts at once",
      security: KEY_CHANGE,
      middleware: [requireJson, idempotent],
      parameters: [IdempotencyKey],
      request: { params: IdParam, body: jsonBody(SetupBotRequest) },
      responses: answers(201, Bot, 'The running bot.'),
    }),
    async (c) => {
      const { database, runtime } = c.var;
      const bot = await setupBot(
        { database, keyring: runtime.keyring },
        c.req.valid('param').id,
        c.req.valid('json'),
      );
      return c.json(bot, 201, { location: `/bots/${bot.id}` });
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/clients/{id}/bots',
      tags: ['Bots'],
      summary: "List a client's bots, newest first",
      security: SESSION,
      request: { params: IdParam, query: PageQuery },
      responses: answers(200, BotPage, 'A page of bots.'),
    }),
    async (c) => c.json(await c.var.database.listBots(c.req.valid('param').id, c.req.valid('query')), 200),
  );
