/** An alias in `wrangler.toml` replaces `openapi/write-description.ts` by this module, because the Worker returns the file. */
export function describeApi(): never {
  throw new TypeError('The description is a file in the deployed Worker: npm run openapi');
}
