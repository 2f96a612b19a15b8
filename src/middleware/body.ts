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

/** Strictly: characters that were replaced are not what was sent. No byte order mark (RFC 8259, 8.1). */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** For routes that read a body: it says that it is JSON, and it is text. Whether it is JSON is for its schema to find. */
export const requireJson = createMiddleware<AppEnv>(async (c, next) => {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/json *(;.*)?$/i.test(type)) throw new Problem('unsupported_media_type');
  try {
    const text = UTF8.decode(await c.req.arrayBuffer());
    // For the validator, which would make the text anew from the bytes, and not strictly.
    Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
  } catch {
    throw new Problem('malformed_json');
  }
  await next();
});
