/**
 * The members of zod that the schemas use. An alias in `wrangler.toml` replaces zod by this module in the bundle. The bundler
 * cannot remove unused members of zod, because `@hono/zod-openapi` exports it as a namespace, and the whole package has
 * error messages in sixty languages. A test fails if a schema uses a member that is not listed here.
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
  null,
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
