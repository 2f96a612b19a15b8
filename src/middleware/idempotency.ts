import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { Problem } from '../problem.ts';

export const MAX_KEY_LENGTH = 255;
/** Visible ASCII. Quotes are a part of it; of two such headers, which come as one with ", " between, none is taken. */
const KEY = /^[\x21-\x7e]+$/;

/**
 * For routes whose changes can be asked for again under an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
 * The database does the work once and keeps the answer, in one transaction; here is what it knows the request by.
 */
export const idempotent = createMiddleware<AppEnv>(async (c, next) => {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return next();
  if (!KEY.test(key) || key.length > MAX_KEY_LENGTH) throw new Problem('idempotency_key_malformed');

  let replayed = false;
  const once = {
    key: hashOfKey(key),
    fingerprint: fingerprintOf(key, c.req.method, c.req.path, new Uint8Array(await c.req.arrayBuffer())),
    onReplay: () => {
      replayed = true;
    },
  };
  // A request has one of the two, by who may ask for its route.
  if (c.get('database')) c.set('database', c.get('database').once(once));
  if (c.get('runnerDatabase')) c.set('runnerDatabase', c.get('runnerDatabase').once(once));
  await next();
  if (replayed && c.error === undefined) c.res.headers.set('idempotency-replayed', 'true');
});

function hashOfKey(key: string): string {
  return bytesToHex(sha256(utf8ToBytes(`trading-keys idempotency key\n${key}`)));
}

/**
 * The request, byte for byte, under the key itself, which is not stored: so what is stored tells nobody
 * whether a body was this or that, and a body may hold a private key.
 */
function fingerprintOf(key: string, method: string, path: string, body: Uint8Array): string {
  return bytesToHex(hmac(sha256, utf8ToBytes(key), concatBytes(utf8ToBytes(`${method}\n${path}\n`), body)));
}
