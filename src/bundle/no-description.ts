/** In the place of `openapi/write-description.ts`, by `wrangler.toml`: the Worker responds with the written file. */
export function describeApi(): never {
  throw new TypeError('The description is a file in the deployed Worker: npm run openapi');
}
