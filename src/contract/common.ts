import { z } from '@hono/zod-openapi';
import { PROBLEM_CODES } from '../problem.ts';

/**
 * Every id that PostgreSQL can store, with or without a version of RFC 9562: a row with an id that no path accepts could
 * be neither read nor deleted. In lower case, as PostgreSQL writes it, because an envelope is bound to the exact text of
 * the id of its client.
 */
export const Id = z.guid().toLowerCase().openapi({ example: '01a20567-9c9d-712c-b393-fbd8562d7591' });
export const Time = z.iso
  .datetime()
  .openapi({ description: 'RFC 3339, UTC.', example: '2026-11-22T22:36:46.106Z' });

/** Characters that change the direction of text, with which one name can look like another (CVE-2021-42574). */
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/;

/**
 * Text for people: no control characters, no lone surrogates, no white space at the ends. `private.is_name` is the same
 * rule in the database.
 */
export const Name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine((text) => !/\p{Cc}/u.test(text) && !BIDI_CONTROLS.test(text) && text.isWellFormed(), {
    error: 'control or broken characters',
  });

/** A closed object: an unknown field is rejected, and the text names the fields that exist, never the one sent. */
export const closedObject = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: ({ code, inst }) =>
      code === 'unrecognized_keys' ? `allowed are: ${fieldsOf(inst, shape).join(', ')}` : undefined,
  });

/** Of the schema that rejects, which may extend the one that was given. */
function fieldsOf(schema: unknown, given: object): string[] {
  const { shape = given } = (schema ?? {}) as { readonly shape?: object };
  return Object.keys(shape);
}

export const IdParam = z.object({ id: Id.openapi({ param: { name: 'id', in: 'path' } }) });

export const PageLimit = z.coerce
  .number()
  .int()
  .min(1)
  .max(100)
  .default(50)
  .openapi({ description: 'The number of items in a page.' });

export const PageQuery = closedObject({
  limit: PageLimit,
  cursor: Id.optional().openapi({ description: 'The `next_cursor` of the previous page.' }),
});

export const NextCursor = z
  .string()
  .nullable()
  .openapi({ description: 'The `cursor` of the next page. Null on the last page.' });

/** Newest first. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: NextCursor });

export const ProblemCode = z.enum(PROBLEM_CODES).openapi('ProblemCode', {
  description: 'The set is closed, and the meaning of a code never changes.',
});

export const ProblemPart = z
  .object({
    pointer: z.string().optional().openapi({ description: 'The place in the body (RFC 6901).' }),
    parameter: z.string().optional().openapi({ description: 'The name of the parameter or header.' }),
    code: z.string(),
    detail: z.string(),
  })
  .openapi('ProblemPart', { description: 'One part of the request that does not match its schema.' });

export const ProblemBody = z
  .object({
    type: z.string().openapi({
      description: 'Where GET /docs explains the code, relative to the URL of the request.',
      example: '/docs#problem-token_expired',
    }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    request_id: z
      .string()
      .openapi({ description: 'The id of the request, also in the X-Request-Id header.' }),
    code: ProblemCode,
    errors: z.array(ProblemPart).optional(),
  })
  .openapi('Problem', { description: 'An error response (RFC 9457).' });
