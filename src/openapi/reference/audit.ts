import { checkpoint, keyEvent, page } from './examples.ts';
import { operations } from './reference.ts';

const DEPLOYMENT = '00000000-0000-0000-0000-000000000000';

export const audit = operations({
  listKeyEvents: {
    tag: 'Audit',
    summary: 'List the audit chain of a client',
    description:
      'Who did what with the keys, bots, policies and tokens of the client. `trading-keys/audit` verifies the hashes.',
    problems: [],
    responses: {
      200: {
        description: 'A page of the chain.',
        example: { ...page(keyEvent), queued: [], omitted: 0 },
      },
    },
  },
  listCheckpoints: {
    tag: 'Audit',
    summary: 'List the signed checkpoints of the audit chain of a client',
    description:
      'A checkpoint is a signature of the newest row of its time. Keep it to prove that no row was changed.',
    problems: [],
    responses: { 200: { description: 'A page of checkpoints.', example: page(checkpoint) } },
  },
  listDeploymentEvents: {
    tag: 'Audit',
    summary: 'List the audit chain of the deployment (admin)',
    description: 'What belongs to no client: admins, settings, bot types and the tokens of the operator.',
    problems: ['admin_required'],
    responses: {
      200: {
        description: 'A page of the chain. Its client_id is the nil UUID.',
        example: {
          ...page({
            ...keyEvent,
            client_id: DEPLOYMENT,
            event: 'admin_added',
            actor: 'operator',
            actor_id: null,
            request_id: null,
            bot_id: null,
            address: null,
            chain: null,
            key_id: null,
            key_version: null,
          }),
          queued: [],
          omitted: 0,
        },
      },
    },
  },
  listDeploymentCheckpoints: {
    tag: 'Audit',
    summary: 'List the signed checkpoints of the audit chain of the deployment (admin)',
    problems: ['admin_required'],
    responses: { 200: { description: 'A page of checkpoints.', example: page(checkpoint) } },
  },
  getAuditKeys: {
    tag: 'Audit',
    summary: 'Get the public keys that verify checkpoints',
    problems: ['audit_key_malformed'],
    responses: {
      200: {
        description: 'A JWK Set with current and former keys. Empty if no key is set.',
        example: {
          keys: [
            {
              kty: 'OKP',
              crv: 'Ed25519',
              alg: 'EdDSA',
              use: 'sig',
              kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
              x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
            },
          ],
        },
      },
    },
  },
});
