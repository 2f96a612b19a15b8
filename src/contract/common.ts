import { z } from '@hono/zod-openapi';
import { PROBLEM_CODES } from '../problem.ts';

/**
 * Any id that PostgreSQL holds, of an RFC 9562 version or not: a row whose id no path accepts could be neither read nor
 * deleted. In lower case, as PostgreSQL writes it: an envelope is bound to the very text of its client's id.
 */
export const Id = z.guid().toLowerCase().openapi({ example: '01a20567-9c9d-712c-b393-fbd8562d7591' });
export const Time = z.iso
  .datetime()
  .openapi({ description: 'RFC 3339, UTC.', example: '2026-11-22T22:36:46.106Z' });

/** What turns the direction of the text around it, so that a name could pose as another (CVE-2021-42574). */
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/;

/**
 * Text for people: no control characters, no halves of surrogate pairs, no white space at the ends. `private.is_name` is
 * the same rule in the database.
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

export const PageQuery = closedObject({
  limit: z.coerce.number().int().min(1).max(100).default(50).openapi({ description: 'Items in a page.' }),
  cursor: Id.optional().openapi({ description: 'The next_cursor of the page before.' }),
});

/** Newest first. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

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
    code: z.enum(PROBLEM_CODES),
    errors: z
      .array(
        z.object({
          pointer: z.string().optional(),
          parameter: z.string().optional(),
          code: z.string(),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .openapi('Problem');
