import { KeysStatus } from '../contract/keys.ts';
import { defineRoute, newRouter, responses } from '../openapi/route.ts';
import { describeKeys } from '../services/key-status.ts';

export const keys = newRouter().openapi(
  defineRoute({
    operationId: 'getKeysStatus',
    method: 'get',
    path: '/keys/status',
    access: 'session',
    responses: responses(200, KeysStatus),
  }),
  async (c) => {
    const { database, runtime } = c.var;
    const [counts, keyring] = await Promise.all([database.countEnvelopes(), runtime.keyring()]);
    return c.json(describeKeys(counts, keyring), 200);
  },
);
