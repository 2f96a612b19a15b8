import { AuditKeys, CheckpointPage, KeyEventPage, KeyEventQuery, SeqPageQuery } from '../contract/audit.ts';
import { IdParam } from '../contract/common.ts';
import { defineRoute, newRouter, responses } from '../openapi/route.ts';

export const audit = newRouter()
  .openapi(
    defineRoute({
      operationId: 'listKeyEvents',
      method: 'get',
      path: '/clients/{id}/key-events',
      access: 'session',
      subject: 'client',
      request: { params: IdParam, query: KeyEventQuery },
      responses: responses(200, KeyEventPage),
    }),
    async (c) =>
      c.json(await c.var.database.listKeyEvents(c.req.valid('param').id, c.req.valid('query')), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'listCheckpoints',
      method: 'get',
      path: '/clients/{id}/checkpoints',
      access: 'session',
      subject: 'client',
      request: { params: IdParam, query: SeqPageQuery },
      responses: responses(200, CheckpointPage),
    }),
    async (c) =>
      c.json(await c.var.database.listCheckpoints(c.req.valid('param').id, c.req.valid('query')), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'listDeploymentEvents',
      method: 'get',
      path: '/events',
      access: 'session',
      request: { query: KeyEventQuery },
      responses: responses(200, KeyEventPage),
    }),
    async (c) => c.json(await c.var.database.listDeploymentEvents(c.req.valid('query')), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'listDeploymentCheckpoints',
      method: 'get',
      path: '/events/checkpoints',
      access: 'session',
      request: { query: SeqPageQuery },
      responses: responses(200, CheckpointPage),
    }),
    async (c) => c.json(await c.var.database.listDeploymentCheckpoints(c.req.valid('query')), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'getAuditKeys',
      method: 'get',
      path: '/.well-known/jwks.json',
      access: 'anyone',
      responses: responses(200, AuditKeys),
    }),
    async (c) => c.json({ keys: [...(await c.var.runtime.auditKeys()).published] }, 200),
  );
