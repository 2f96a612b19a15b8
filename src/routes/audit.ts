import { createRoute } from '@hono/zod-openapi';
import { AuditKeys, CheckpointPage, KeyEventPage, KeyEventQuery, SeqPageQuery } from '../contract/audit.ts';
import { IdParam } from '../contract/common.ts';
import { ANYONE, answers, newRouter, SESSION } from '../openapi/route.ts';

export const audit = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/clients/{id}/key-events',
      tags: ['Audit'],
      summary: 'The audit chain: who did what with keys, bots and tokens, each row bound to the one before',
      security: SESSION,
      request: { params: IdParam, query: KeyEventQuery },
      responses: answers(200, KeyEventPage, 'A page of the chain.'),
    }),
    async (c) =>
      c.json(await c.var.database.listKeyEvents(c.req.valid('param').id, c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/clients/{id}/checkpoints',
      tags: ['Audit'],
      summary: 'Rows of the chain that were signed when they were its last ones. Keep them',
      security: SESSION,
      request: { params: IdParam, query: SeqPageQuery },
      responses: answers(200, CheckpointPage, 'A page of checkpoints.'),
    }),
    async (c) =>
      c.json(await c.var.database.listCheckpoints(c.req.valid('param').id, c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/events',
      tags: ['Audit'],
      summary: "The deployment's audit chain: admins, settings, bot types, operator tokens (admin)",
      security: SESSION,
      request: { query: KeyEventQuery },
      responses: answers(200, KeyEventPage, 'A page of the chain. Its client_id is the nil UUID.'),
    }),
    async (c) => c.json(await c.var.database.listDeploymentEvents(c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/events/checkpoints',
      tags: ['Audit'],
      summary: "Signed checkpoints of the deployment's audit chain (admin)",
      security: SESSION,
      request: { query: SeqPageQuery },
      responses: answers(200, CheckpointPage, 'A page of checkpoints.'),
    }),
    async (c) => c.json(await c.var.database.listDeploymentCheckpoints(c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/.well-known/jwks.json',
      tags: ['Audit'],
      summary: 'The public keys that checkpoints are verified with, former ones too',
      security: ANYONE,
      responses: answers(200, AuditKeys, 'A JWK Set; empty where no key is set.'),
    }),
    async (c) => c.json({ keys: [...(await c.var.runtime.auditKeys()).published] }, 200),
  );
