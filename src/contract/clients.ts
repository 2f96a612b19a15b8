import { z } from '@hono/zod-openapi';
import { closedObject, Id, Name, pageOf, Time } from './common.ts';

export const ClientRequest = closedObject({
  name: Name.openapi({ example: 'Alice' }),
  email: z.string().max(320).pipe(z.email()).openapi({
    description:
      'The first account that confirms this e-mail address after the client was created is linked to the client.',
    example: 'alice@example.test',
  }),
  link_account: z.boolean().default(false).openapi({
    description:
      'Link the account that already has this confirmed e-mail address, or respond with 422 `account_not_found`. All sessions of the account end, and its owner sets a new password.',
  }),
}).openapi('ClientRequest');

export const Client = z
  .object({
    id: Id,
    name: z.string(),
    email: z.string(),
    linked: z.boolean().openapi({ description: 'Whether an account is linked to this client.' }),
    created_at: Time,
  })
  .openapi('Client');
export const ClientPage = pageOf(Client).openapi('ClientPage');

export type ClientRequest = z.infer<typeof ClientRequest>;
export type Client = z.infer<typeof Client>;
export type ClientPage = z.infer<typeof ClientPage>;
