import { z } from '@hono/zod-openapi';
import { closedObject, Id, Name, pageOf, Time } from './common.ts';

export const IssueTokenRequest = closedObject({
  name: Name.openapi({ example: 'Runner in Frankfurt' }),
  expires_at: z.iso.datetime({ offset: true }).optional().openapi({
    description: 'RFC 3339. If absent, the token is valid until it is revoked.',
    example: '2027-11-22T00:00:00Z',
  }),
  other_bot_ids: z
    .array(Id)
    .max(99)
    .optional()
    .openapi({ description: 'Other bots that the token signs for, in addition to the bot in the path.' }),
}).openapi('IssueTokenRequest');

export const Token = z
  .object({
    id: Id,
    name: z.string(),
    bot_ids: z.array(Id).openapi({ description: 'All bots that the token may sign for.' }),
    created_at: Time,
    expires_at: Time.nullable(),
    last_used_at: Time.nullable().openapi({ description: 'The minute of the last use.' }),
  })
  .openapi('Token');

export const IssuedToken = Token.extend({
  token: z.string().optional().openapi({
    description:
      'The token itself. It is returned once and not stored: a response that is repeated for an Idempotency-Key does not have it. If the first response was lost, revoke the token by its id and issue another.',
    format: 'password',
  }),
}).openapi('IssuedToken');

export const TokenPage = pageOf(Token).openapi('TokenPage');

export type IssueTokenRequest = z.infer<typeof IssueTokenRequest>;
export type Token = z.infer<typeof Token>;
export type IssuedToken = z.infer<typeof IssuedToken>;
