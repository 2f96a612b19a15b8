import { z } from '@hono/zod-openapi';
import { ProblemCode } from './common.ts';

export const Health = z.object({ status: z.literal('ok') }).openapi('Health');

const Dependency = z
  .object({
    status: z.enum(['ok', 'failing']),
    code: ProblemCode.optional().openapi({
      description: 'The problem code of calls that need this dependency.',
    }),
    detail: z.string().optional().openapi({ description: 'What to do about it.' }),
  })
  .openapi('Dependency');

const MasterKeyDependency = Dependency.extend({
  unopenable_envelopes: z
    .union([z.int(), z.literal('all')])
    .optional()
    .openapi({
      description:
        'With `master_keys_incomplete`: the number of stored ciphertexts that no master key decrypts. 1000 means 1000 or more. "all" means every ciphertext, of more than one client.',
    }),
}).openapi('MasterKeyDependency');

export const Readiness = z
  .object({
    status: z.enum(['ready', 'degraded']),
    dependencies: z.object({
      database: Dependency,
      schema: Dependency,
      master_key: MasterKeyDependency,
      edge_token: Dependency.openapi({
        description:
          'Whether the database accepts the edge token. Without it no key is stored and nothing is signed.',
      }),
      token_verification: Dependency,
      step_up: Dependency.openapi({
        description: 'Whether the edge and the database require the same sign-in for key changes.',
      }),
      monitor: Dependency.openapi({
        description:
          'Whether the settings allow the health monitor to run. No call needs it, so the status is `ready` without it.',
      }),
      rpc_settings: Dependency.openapi({
        description:
          'Whether RPC_URLS and RPC_FEE_CAPS are unset or well-formed. Only methods of JSON-RPC that need a node need them, so the status is `ready` without them. The nodes are not called.',
      }),
      audit_key: Dependency.openapi({
        description:
          'Whether audit checkpoints can be signed. No call needs it, so the status is `ready` without it.',
      }),
    }),
  })
  .openapi('Readiness');

export type Readiness = z.infer<typeof Readiness>;
export type Dependency = z.infer<typeof Dependency>;
