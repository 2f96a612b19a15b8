import { operations } from './reference.ts';

const ok = { status: 'ok' };
const dependencies = {
  database: ok,
  schema: ok,
  master_key: ok,
  edge_token: ok,
  token_verification: ok,
  step_up: ok,
  monitor: ok,
  audit_key: {
    status: 'failing',
    code: 'audit_key_missing',
    detail:
      'Operator: set AUDIT_SIGNING_KEY. "npm run audit:keys" creates one. Everything else works without it.',
  },
};

export const service = operations({
  getHealth: {
    tag: 'Service',
    summary: 'Check whether the service runs',
    problems: [],
    responses: { 200: { description: 'The service runs.', example: ok } },
  },
  getReadiness: {
    tag: 'Service',
    summary: 'Check everything that the service depends on',
    problems: [],
    responses: {
      200: {
        description:
          'The service can respond to every call. `degraded`: no master key decrypts some of the stored keys.',
        example: { status: 'ready', dependencies },
      },
      503: {
        description: 'Something that calls need is missing.',
        example: {
          status: 'degraded',
          dependencies: {
            ...dependencies,
            edge_token: {
              status: 'failing',
              code: 'edge_token_missing',
              detail:
                'Operator: set EDGE_TOKEN to the output of "npm run operator:token -- --scope edge". Without it no key can be stored and nothing can be signed.',
            },
          },
        },
      },
    },
  },
});
