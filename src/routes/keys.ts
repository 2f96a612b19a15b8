import { createRoute } from '@hono/zod-openapi';
import { KeysStatus } from '../contract/keys.ts';
import { answers, newRouter, SESSION } from '../openapi/route.ts';
import { describeKeys } from '../services/key-status.ts';

export const keys = newRouter().openapi(
  createRoute({
    method: 'get',
    path: '/keys/status',
    tags: ['Keys'],
    summary: 'How many envelopes each master key sealed, and whether it is in force (admin)',
    security: SESSION,
    responses: answers(200, KeysStatus, 'Every master key that is in force or sealed something.'),
  }),
  async (c) => {
    const { database, runtime } = c.var;
    const [counts, keyring] = await Promise.all([database.countEnvelopes(), runtime.keyring()]);
    return c.json(describeKeys(counts, keyring), 200);
  },
);
