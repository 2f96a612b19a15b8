import { Bot, CreateBotRequest } from '../contract/bots.ts';
import { IdParam } from '../contract/common.ts';
import { AddedWallet, WalletRequest } from '../contract/keys.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';
import { addWallet, createBot } from '../services/keys-of-bots.ts';

export const bots = newRouter()
  .openapi(
    defineRoute({
      operationId: 'createBot',
      method: 'post',
      path: '/bots/create',
      access: 'key_change',
      subject: 'client_in_body',
      idempotencyKey: 'used',
      request: { body: jsonBody(CreateBotRequest) },
      responses: responses(201, Bot),
    }),
    async (c) => {
      const { database, runtime } = c.var;
      const bot = await createBot({ database, keyring: runtime.keyring }, c.req.valid('json'));
      return c.json(bot, 201, { location: `/bots/${bot.id}` });
    },
  )
  .openapi(
    defineRoute({
      operationId: 'addWallet',
      method: 'post',
      path: '/bots/{id}/wallets',
      access: 'key_change',
      subject: 'bot',
      idempotencyKey: 'used',
      request: { params: IdParam, body: jsonBody(WalletRequest) },
      responses: responses(201, AddedWallet),
    }),
    async (c) => {
      const { database, runtime } = c.var;
      const { id } = c.req.valid('param');
      return c.json(await addWallet({ database, keyring: runtime.keyring }, id, c.req.valid('json')), 201);
    },
  )
  .openapi(
    defineRoute({
      operationId: 'getBot',
      method: 'get',
      path: '/bots/{id}',
      access: 'session',
      subject: 'bot',
      request: { params: IdParam },
      responses: responses(200, Bot),
    }),
    async (c) => c.json(await c.var.database.getBot(c.req.valid('param').id), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'startBot',
      method: 'post',
      path: '/bots/{id}/start',
      access: 'key_change',
      subject: 'bot',
      idempotencyKey: 'used',
      request: { params: IdParam },
      responses: responses(200, Bot),
    }),
    async (c) => c.json(await c.var.database.startBot(c.req.valid('param').id), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'stopBot',
      method: 'post',
      path: '/bots/{id}/stop',
      access: 'ending',
      subject: 'bot',
      idempotencyKey: 'accepted',
      request: { params: IdParam },
      responses: responses(200, Bot),
    }),
    async (c) => c.json(await c.var.database.stopBot(c.req.valid('param').id), 200),
  );
