import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { Problem } from '../problem.ts';
import { jsonPointer } from './handle-error.ts';

export const MAX_BODY_BYTES = 64 * 1024;
/** Fits the largest transaction: 49,152 bytes of initcode (EIP-3860) in hex, beside typed data as a text in a batch. */
export const MAX_TRANSACTION_BODY_BYTES = 256 * 1024;
const LARGE_BODIES: readonly string[] = ['/bots/{id}/rpc'];

const limitedTo = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new Problem('body_too_large');
    },
  });
const limits = { usual: limitedTo(MAX_BODY_BYTES), large: limitedTo(MAX_TRANSACTION_BODY_BYTES) };

export const limitBody = createMiddleware<AppEnv>((c, next) =>
  (LARGE_BODIES.includes(c.get('route')?.path ?? '') ? limits.large : limits.usual)(c, next),
);

/** Strict, because Hono's decoder replaces invalid bytes and removes a byte order mark. The schema would check another text. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** JSON in a request has no byte order mark (RFC 8259, section 8.1). */
const BYTE_ORDER_MARK = '\ufeff';

/** An escape of one half of a surrogate pair. The strict decoder rejects halves that are not escaped. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * For routes that read a body. Requires the type JSON and UTF-8, and rejects strings and names with half of a surrogate
 * pair. JSON can escape such a half (RFC 8259, section 8.2), but UTF-8 cannot encode it: a library would replace it by
 * another character, and PostgREST rejects the whole call. The schema of the route checks later that the body is JSON.
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
  if (text.startsWith(BYTE_ORDER_MARK)) throw new Problem('json_malformed');
  if (SURROGATE_ESCAPE.test(text)) rejectLoneSurrogates(text);
  await next();
});

/** @throws {Problem} json_malformed, or validation_failed with the member that contains a lone surrogate */
function rejectLoneSurrogates(text: string): void {
  const body = parse(text);
  const members = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const at = members.find((member) => !isWellFormed(member));
  if (at === undefined && isWellFormed(body)) return;
  const detail = 'half of a surrogate pair, which is not a character';
  const pointer = jsonPointer(at === undefined ? [] : [at[0]]);
  throw new Problem('validation_failed', [{ pointer, code: 'lone_surrogate', detail }]);
}

/** Checks every text and name in a value. It does not recurse, because a body can be nested thousands of levels deep. */
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
