import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { Problem } from '../problem.ts';

export const MAX_BODY_BYTES = 64 * 1024;

export const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new Problem('body_too_large');
  },
});

/** For routes that read a body: it says that it is JSON, and it is. */
export const requireJson = createMiddleware<AppEnv>(async (c, next) => {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/json *(;.*)?$/i.test(type)) throw new Problem('unsupported_media_type');
  try {
    // Strictly UTF-8: characters that were replaced are not what was sent. No byte order mark (RFC 8259, 8.1).
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await c.req.arrayBuffer());
    JSON.parse(text);
    // For the validator, which would make the text anew from the bytes.
    Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('malformed_json');
  }
  await next();
});
