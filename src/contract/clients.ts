import { z } from '@hono/zod-openapi';
import { Id, Name, pageOf, Time } from './common.ts';

export const ClientRequest = z
  .strictObject({
    name: Name.openapi({ example: 'Alice' }),
    email: z.string().max(320).pipe(z.email()).openapi({
      description: 'The account with this confirmed e-mail is linked.',
      example: 'alice@example.test',
    }),
  })
  .openapi('ClientRequest');

export const Client = z
  .object({
    id: Id,
    name: z.string(),
    email: z.string(),
    linked: z.boolean().openapi({ description: 'Whether an account signs in for this client.' }),
    created_at: Time,
  })
  .openapi('Client');
export const ClientPage = pageOf(Client).openapi('ClientPage');

export type ClientRequest = z.infer<typeof ClientRequest>;
export type Client = z.infer<typeof Client>;
export type ClientPage = z.infer<typeof ClientPage>;
