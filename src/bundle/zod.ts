/**
 * The members of zod that the schemas use. The alias in `wrangler.toml` replaces zod by this module in the bundle. A
 * bundler cannot remove unused members of a namespace that is passed on, as `@hono/zod-openapi` does, and whole zod brings
 * its error messages in sixty languages. A test fails if a schema uses a member that is not listed here.
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
