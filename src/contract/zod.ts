/**
 * The part of zod that is used. Whole, it is half of the Worker, its error messages in sixty languages first of
 * all; and a namespace that is handed on, as `@hono/zod-openapi` does with zod's, cannot be cut by a bundler.
 * `wrangler.toml` puts this in the place of that one, too.
 */
// Types of the method `openapi`, whoever includes this file.
import type {} from '@hono/zod-openapi';

export type { core, infer } from 'zod/v4';
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
  uuid,
  ZodType,
} from 'zod/v4';
export * as z from './zod.ts';
