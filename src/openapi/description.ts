/** What the API says of itself. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Handler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import type { Files } from '../env.ts';

const ABOUT = {
  openapi: '3.1.0',
  info: {
    title: 'trading-keys',
    version: '0.1.0',
    description: 'Holds the private keys of trading bots. A key that was submitted is never shown again.',
  },
};

/** As the schemas write it. */
export const describeApi = (app: OpenAPIHono<AppEnv>) => app.getOpenAPI31Document(ABOUT);

/**
 * Deployed, the Worker answers what `npm run openapi` wrote into `public/`, with the headers of all its answers: the
 * writer would be a tenth of it (`wrangler.toml` leaves it out). Where there are no such files, it is written here.
 */
export function answerDescription(app: OpenAPIHono<AppEnv>): Handler<AppEnv> {
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

/** The page has one style, of this hash, and runs and loads nothing. A test fails where the hash is another's. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'sha256-gl5EgrlluFLkD33FpRZjqJZ4XKi4JajKzp9rLNJ9kMo='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** For people, also written by `npm run openapi`. Where there are no files there is no page: the description is there. */
export const answerDocs: Handler<AppEnv> = async (c) => {
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
