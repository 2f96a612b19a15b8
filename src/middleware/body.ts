import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { Problem } from '../problem.ts';
import { jsonPointer } from './handle-error.ts';

export const MAX_BODY_BYTES = 64 * 1024;

export const limitBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new Problem('body_too_large');
  },
});

/** Strictly: characters that were replaced are not what was sent. No byte order mark (RFC 8259, 8.1). */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** An escape of either half of a surrogate pair. Raw halves do not pass the strict decoder. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * For routes that read a body: its type is JSON, it is UTF-8, and none of its strings and names has half of a surrogate
 * pair. JSON can escape such a half (RFC 8259, section 8.2), but no UTF-8 text can hold it: a library would replace it by
 * another character, and PostgREST rejects the whole call. Whether the body is JSON is checked with its schema.
 */
export const requireJson = createMiddleware<AppEnv>(async (c, next) => {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/json *(;.*)?$/i.test(type)) throw new Problem('media_type_unsupported');
  let text: string;
  try {
    text = UTF8.decode(await c.req.arrayBuffer());
  } catch {
    throw new Problem('json_malformed');
  }
  if (SURROGATE_ESCAPE.test(text)) rejectLoneSurrogates(text);
  // For the validator, which would decode the bytes again, and not strictly.
  Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
  await next();
});

/** @throws {Problem} json_malformed, validation_failed at the member of the body that has one */
function rejectLoneSurrogates(text: string): void {
  const body = parse(text);
  const members = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const at = members.find((member) => !isWellFormed(member));
  if (at === undefined && isWellFormed(body)) return;
  const detail = 'half of a surrogate pair, which is no character';
  const pointer = jsonPointer(at === undefined ? [] : [at[0]]);
  throw new Problem('validation_failed', [{ pointer, code: 'lone_surrogate', detail }]);
}

/** Every text and every name in a value. Without recursion: the value may be as deep as the body is long. */
function isWellFormed(value: unknown): boolean {
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'string' && !next.isWellFormed()) return false;
    if (typeof next === 'object' && next !== null) {
      for (const member of Object.entries(next)) open.push(...member);
    }
  }
  return true;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('json_malformed');
  }
}
