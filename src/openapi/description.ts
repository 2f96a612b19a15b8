/** The routes `GET /openapi.json` and `GET /docs`. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Handler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import type { Files } from '../env.ts';
import { describeApi } from './write-description.ts';

/**
 * The deployed Worker returns the file that `npm run openapi` wrote into `public/`. Its bundle contains neither the writer nor
 * the texts of the description. A runtime without these files writes the description here.
 */
export function serveDescription(app: OpenAPIHono<AppEnv>): Handler<AppEnv> {
  let written: object | undefined;
  return async (c) => {
    if (c.env.ASSETS === undefined) {
      written ??= describeApi(app);
      return c.json(written, 200);
    }
    return c.body(await read(c.env.ASSETS, new URL('/openapi.json', c.req.url)), 200, {
      'content-type': 'application/json',
    });
  };
}

/** The page has one style and one script, with these hashes, and requests nothing else. A test fails if a hash differs. */
const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'sha256-rp8Dr/50Ulc5zW0Ev2WlcuIxFNzHflSaQ6bMndc5pL8='",
  "script-src 'sha256-DiM+sfnVnYr7ouIk3tS/btaJOibu7TqTOmcWwGNRE5I='",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page that `npm run openapi` wrote. A runtime without files redirects to the description. */
export const serveDocs: Handler<AppEnv> = async (c) => {
  if (c.env.ASSETS === undefined) return c.redirect('openapi.json');
  return c.body(await read(c.env.ASSETS, new URL('/docs.html', c.req.url)), 200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': PAGE_POLICY,
  });
};

async function read(files: Files, url: URL): Promise<ArrayBuffer> {
  const file = await files.fetch(url);
  if (!file.ok) throw new Error(`public${url.pathname}: ${file.status}`);
  return file.arrayBuffer();
}
