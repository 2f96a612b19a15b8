import { createRoute } from '@hono/zod-openapi';
import { Client, ClientPage, ClientRequest } from '../contract/clients.ts';
import { IdParam, PageQuery } from '../contract/common.ts';
import { requireJson } from '../middleware/body.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, IdempotencyKey, jsonBody, newRouter, SESSION } from '../openapi/route.ts';

export const clients = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: '/clients',
      tags: ['Clients'],
      summary: 'Create a client (admin)',
      security: SESSION,
      middleware: [requireJson, idempotent],
      parameters: [IdempotencyKey],
      request: { body: jsonBody(ClientRequest) },
      responses: answers(201, Client, 'The client.'),
    }),
    async (c) => {
      const { name, email, link_account } = c.req.valid('json');
      const client = await c.var.database.createClient(name, email, link_account);
      return c.json(client, 201, { location: `/clients/${client.id}` });
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/clients',
      tags: ['Clients'],
      summary: 'List the clients that the caller may see, newest first',
      security: SESSION,
      request: { query: PageQuery },
      responses: answers(200, ClientPage, 'A page of clients.'),
    }),
    async (c) => c.json(await c.var.database.listClients(c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/clients/me',
      tags: ['Clients'],
      summary: "The client that the caller's account is linked to",
      security: SESSION,
      responses: answers(200, Client, 'The client.'),
    }),
    async (c) => c.json(await c.var.database.getOwnClient(), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/clients/{id}',
      tags: ['Clients'],
      summary: 'One client',
      security: SESSION,
      request: { params: IdParam },
      responses: answers(200, Client, 'The client.'),
    }),
    async (c) => c.json(await c.var.database.getClient(c.req.valid('param').id), 200),
  );
