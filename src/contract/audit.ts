import { z } from '@hono/zod-openapi';
import { CHAINS } from '../keys/index.ts';
import { closedObject, Id, NextCursor, PageLimit, Time } from './common.ts';

export const KEY_EVENTS = [
  'key_added',
  'key_rotated',
  'key_rewrapped',
  'key_revoked',
  'key_released',
  'wallet_added',
  'wallet_changed',
  'wallet_removed',
  'bot_created',
  'bot_changed',
  'bot_started',
  'bot_stopped',
  'bot_quarantined',
  'bot_removed',
  'token_issued',
  'token_changed',
  'token_first_used',
  'token_revoked',
  'policy_set',
  'policy_removed',
  'refused',
  'client_created',
  'client_changed',
  'client_removed',
  'account_linked',
  'account_unlinked',
  'factor_reset',
  'admin_added',
  'admin_removed',
  'settings_changed',
  'bot_type_added',
  'bot_type_changed',
  'bot_type_removed',
  'restored',
] as const;

const Event = z.enum(KEY_EVENTS).openapi('KeyEventName');
const Hash = z.string().openapi({ description: 'SHA-256, in hex.' });
const Seq = z.int().openapi({ description: 'The number of the row in the chain, from 1, without gaps.' });

/**
 * The row as it is hashed: `hash` is the SHA-256 of all other fields in the form of RFC 8785. A field that is added or
 * removed changes the hash of every stored row, so the fields never change.
 */
export const KeyEvent = z
  .object({
    seq: Seq,
    id: Id,
    client_id: Id.openapi({ description: 'The nil UUID in the chain of the deployment.' }),
    event: Event,
    actor: z.enum(['client', 'admin', 'operator', 'runner', 'auth']).openapi({
      description: '`auth` is the Auth server, for example when it links an account.',
    }),
    actor_id: Id.nullable().openapi({ description: 'The account, if the actor had a session.' }),
    request_id: z.string().nullable(),
    bot_id: Id.nullable(),
    address: z.string().nullable(),
    chain: z.enum(CHAINS).nullable(),
    key_id: Id.nullable(),
    key_version: z.int().nullable(),
    detail: z.record(z.string(), z.unknown()).nullable(),
    created_at: Time,
    signatures: z.int().openapi({
      description: 'The number of `key_released` events in the chain up to this row, including it.',
    }),
    previous_hash: Hash.nullable().openapi({
      description: 'The hash of the row before. Null for the first row.',
    }),
    hash: Hash.openapi({
      description: 'SHA-256, in hex, of the canonical form (RFC 8785) of all other fields.',
    }),
  })
  .openapi('KeyEvent', { description: 'A row of an audit chain, with the fields that are hashed.' });

const pageBySeq = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: NextCursor });

export const QueuedEvent = KeyEvent.omit({
  seq: true,
  signatures: true,
  previous_hash: true,
  hash: true,
}).openapi('QueuedEvent', {
  description: 'An event that is not in its chain yet. It has no number and no hash.',
});
export const KeyEventPage = pageBySeq(KeyEvent)
  .extend({
    queued: z.array(QueuedEvent).openapi({
      description:
        'Events that are not in the chain yet, newest first. Usually empty, because a read adds them to the chain.',
    }),
    omitted: z.int().openapi({
      description:
        'The number of events since the newest recorded one that were counted and not recorded, because there were too many.',
    }),
  })
  .openapi('KeyEventPage');

export const Checkpoint = z
  .object({
    seq: Seq,
    hash: Hash,
    jws: z.string().openapi({
      description:
        'Compact JWS (EdDSA) of {iss, client_id, seq, hash, time}, signed by a key of `GET /.well-known/jwks.json`.',
    }),
    created_at: Time,
  })
  .openapi('Checkpoint');
export const CheckpointPage = pageBySeq(Checkpoint).openapi('CheckpointPage');

export const AuditKeys = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        alg: z.literal('EdDSA'),
        use: z.literal('sig'),
        kid: z.string().openapi({ description: 'RFC 7638 thumbprint of the key.' }),
        x: z.string(),
      }),
    ),
  })
  .openapi('AuditKeys', {
    description: 'A JWK Set (RFC 7517) with the public keys that verify checkpoints.',
  });

export const SeqPageQuery = closedObject({
  limit: PageLimit,
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, { error: 'not the next_cursor of a page' })
    .optional()
    .openapi({
      description: 'The `next_cursor` of the previous page, or the `seq` of a known row to continue from it.',
    }),
  order: z
    .enum(['newest', 'oldest'])
    .default('newest')
    .openapi({ description: 'Which row comes first. Verify a chain from the oldest row.' }),
});
export const KeyEventQuery = SeqPageQuery.extend({
  event: Event.optional().openapi({
    description: 'Return only events of this name. Such a page cannot be verified, because rows are missing.',
  }),
});

export type SeqPageQuery = z.output<typeof SeqPageQuery>;
export type KeyEventQuery = z.output<typeof KeyEventQuery>;
export type KeyEvent = z.infer<typeof KeyEvent>;
export type KeyEventPage = z.infer<typeof KeyEventPage>;
export type Checkpoint = z.infer<typeof Checkpoint>;
export type CheckpointPage = z.infer<typeof CheckpointPage>;
export type AuditKeys = z.infer<typeof AuditKeys>;
