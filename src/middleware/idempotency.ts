import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import type { IdempotentRequest } from '../database/idempotency.ts';
import { Problem } from '../problem.ts';

export const MAX_KEY_LENGTH = 255;
/** Visible ASCII, quotes included. Two headers arrive as one value with ", " between them, which does not match. */
const KEY = /^[\x21-\x7e]+$/;

/**
 * For routes that accept an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). The database makes the change and
 * stores the response in one transaction. This middleware computes the two hashes by which the database finds the request.
 */
export const idempotent = createMiddleware<AppEnv>(async (c, next) => {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return next();
  if (!KEY.test(key) || key.length > MAX_KEY_LENGTH) throw new Problem('idempotency_key_malformed');

  let replayed = false;
  const onReplay = () => {
    replayed = true;
  };
  const request: IdempotentRequest = {
    key: hashOfKey(key),
    fingerprint: fingerprintOf(key, c.req.method, c.req.path, new Uint8Array(await c.req.arrayBuffer())),
    onReplay,
    part: (name, content) => ({
      ...request,
      // A line feed is not part of any key, so no other key has the hash of a part.
      key: hashOfKey(`${key}\n${name}`),
      fingerprint: fingerprintOf(key, c.req.method, c.req.path, utf8ToBytes(content)),
    }),
  };
  // A request has only one of them: routes of sessions `database`, routes of runners `runnerDatabase`.
  if (c.get('database')) c.set('database', c.get('database').withIdempotency(request));
  if (c.get('runnerDatabase')) c.set('runnerDatabase', c.get('runnerDatabase').withIdempotency(request));
  await next();
  if (replayed && c.error === undefined) c.res.headers.set('idempotency-replayed', 'true');
});

function hashOfKey(key: string): string {
  return bytesToHex(sha256(utf8ToBytes(`trading-keys idempotency key\n${key}`)));
}

/**
 * An HMAC of the request, byte for byte. Its key is the Idempotency-Key, which is not stored. A plain hash would let a
 * reader of the database test guesses of the body, and a body may contain a private key.
 */
function fingerprintOf(key: string, method: string, path: string, body: Uint8Array): string {
  return bytesToHex(hmac(sha256, utf8ToBytes(key), concatBytes(utf8ToBytes(`${method}\n${path}\n`), body)));
}
