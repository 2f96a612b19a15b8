/**
 * In the place of zod's two modules that write JSON Schema, by `wrangler.toml`: each schema refers to them, so a
 * bundler keeps them, and validation needs neither.
 */
const nothing = (): undefined => undefined;

export {
  nothing as createStandardJSONSchemaMethod,
  nothing as createToJSONSchemaMethod,
  nothing as toJSONSchema,
};
