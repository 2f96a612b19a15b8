/**
 * The part of zod that is used: `wrangler.toml` puts it in zod's place. Whole, zod was half of the Worker, its error
 * messages in sixty languages first of all; and a namespace that is handed on, as `@hono/zod-openapi` does with
 * zod's, cannot be cut by a bundler. What a schema needs beyond this is added here; a test finds what is missing.
 */
export {
  array,
  boolean,
  coerce,
  custom,
  discriminatedUnion,
  email,
  enum,
  guid,
  int,
  iso,
  literal,
  NEVER,
  number,
  object,
  record,
  strictObject,
  string,
  union,
  unknown,
  ZodType,
} from 'zod/v4';
export * as z from './zod.ts';
