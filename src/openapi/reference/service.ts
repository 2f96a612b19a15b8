import { Problem, type ProblemCode } from '../../problem.ts';
import { operations } from './reference.ts';

const ok = { status: 'ok' };
const failing = (code: ProblemCode) => ({ status: 'failing', code, detail: new Problem(code).remedy });
const dependencies = {
  database: ok,
  schema: ok,
  master_key: ok,
  edge_token: ok,
  token_verification: ok,
  step_up: ok,
  monitor: ok,
  rpc_settings: ok,
  audit_key: failing('audit_key_missing'),
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
        description: 'A dependency that requests need does not work.',
        example: {
          status: 'degraded',
          dependencies: {
            ...dependencies,
            edge_token: failing('edge_token_missing'),
          },
        },
      },
    },
  },
});
