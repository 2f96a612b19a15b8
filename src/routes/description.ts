/** What the API says of itself. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Handler } from 'hono';
import type { AppEnv } from '../app-env.ts';

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
    const file = await c.env.ASSETS.fetch(new URL('/openapi.json', c.req.url));
    if (!file.ok) throw new Error(`public/openapi.json: ${file.status}`);
    return c.body(await file.arrayBuffer(), 200, { 'content-type': 'application/json' });
  };
}
