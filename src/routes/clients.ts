import { Client, ClientPage, ClientRequest } from '../contract/clients.ts';
import { IdParam, PageQuery } from '../contract/common.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';

export const clients = newRouter()
  .openapi(
    defineRoute({
      operationId: 'createClient',
      method: 'post',
      path: '/clients',
      access: 'session',
      idempotencyKey: 'used',
      request: { body: jsonBody(ClientRequest) },
      responses: responses(201, Client),
    }),
    async (c) => {
      const { name, email, link_account } = c.req.valid('json');
      const client = await c.var.database.createClient(name, email, link_account);
      return c.json(client, 201, { location: `/clients/${client.id}` });
    },
  )
  .openapi(
    defineRoute({
      operationId: 'listClients',
      method: 'get',
      path: '/clients',
      access: 'session',
      request: { query: PageQuery },
      responses: responses(200, ClientPage),
    }),
    async (c) => c.json(await c.var.database.listClients(c.req.valid('query')), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'getOwnClient',
      method: 'get',
      path: '/clients/me',
      access: 'session',
      responses: responses(200, Client),
    }),
    async (c) => c.json(await c.var.database.getOwnClient(), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'getClient',
      method: 'get',
      path: '/clients/{id}',
      access: 'session',
      subject: 'client',
      request: { params: IdParam },
      responses: responses(200, Client),
    }),
    async (c) => c.json(await c.var.database.getClient(c.req.valid('param').id), 200),
  );
