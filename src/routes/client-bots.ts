import { Bot, BotOptions, BotPage, SetupBotRequest } from '../contract/bots.ts';
import { IdParam, PageQuery } from '../contract/common.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';
import { setupBot } from '../services/keys-of-bots.ts';

export const clientBots = newRouter()
  .openapi(
    defineRoute({
      operationId: 'listBotOptions',
      method: 'get',
      path: '/clients/{id}/bot-options',
      access: 'session',
      subject: 'client',
      request: { params: IdParam },
      responses: responses(200, BotOptions),
    }),
    async (c) => c.json(await c.var.database.listBotOptions(c.req.valid('param').id), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'setupBot',
      method: 'post',
      path: '/clients/{id}/setup-bot',
      access: 'key_change',
      subject: 'client',
      idempotencyKey: 'used',
      request: { params: IdParam, body: jsonBody(SetupBotRequest) },
      responses: responses(201, Bot),
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
    defineRoute({
      operationId: 'listBots',
      method: 'get',
      path: '/clients/{id}/bots',
      access: 'session',
      subject: 'client',
      request: { params: IdParam, query: PageQuery },
      responses: responses(200, BotPage),
    }),
    async (c) => c.json(await c.var.database.listBots(c.req.valid('param').id, c.req.valid('query')), 200),
  );
