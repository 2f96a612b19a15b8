/** The audit key is parsed strictly and is never returned. Two implementations verify what it signs. */
import { CompactSign, generateKeyPair } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { AuditKeyError, openCheckpoint, parseAuditKeys, signHead } from '../../src/crypto/audit-key.ts';
import { openCheckpoint as openInSdk } from '../../src/sdk/checkpoint.ts';
import type { AuditKeys } from '../../src/sdk/types.ts';

/** RFC 8037, appendix A: the key of RFC 8032's first test, its public part and its thumbprint. */
const RFC = {
  seed: 'nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
};
const newSeed = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
const head = {
  iss: 'https://project.test',
  client_id: crypto.randomUUID(),
  seq: 7,
  hash: 'ab'.repeat(32),
  time: 'now',
};

describe('parseAuditKeys', () => {
  it('returns the public key and the thumbprint of RFC 8037', async () => {
    const { published, signing } = await parseAuditKeys(RFC.seed, undefined);
    expect(published).toEqual([
      { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: RFC.kid, x: RFC.x },
    ]);
    expect(signing?.kid).toBe(RFC.kid);
  });

  it('keeps the private key non-extractable', async () => {
    const { signing } = await parseAuditKeys(RFC.seed, undefined);
    expect([signing?.key.extractable, signing?.key.usages]).toEqual([false, ['sign']]);
    for (const format of ['pkcs8', 'jwk', 'raw'] as const) {
      await expect(crypto.subtle.exportKey(format, signing?.key as CryptoKey)).rejects.toThrow();
    }
  });

  it('ignores white space around it, and wipes the imported bytes', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    const { signing } = await parseAuditKeys(` ${RFC.seed}\n`, undefined);
    expect(signing?.kid).toBe(RFC.kid);
    expect(importKey.mock.calls.map(([, bytes]) => bytes)).toEqual([new Uint8Array(48)]);
    importKey.mockRestore();
  });

  it('publishes former keys after the signing key, each once', async () => {
    const former = (await parseAuditKeys(newSeed(), undefined)).published[0]?.x;
    const { published } = await parseAuditKeys(RFC.seed, ` ${former} , ${RFC.x}`);
    expect(published.map(({ x }) => x)).toEqual([RFC.x, former]);
  });

  it.each([undefined, '', ' '])('without a key (%j) -> signs nothing', async (setting) => {
    expect(await parseAuditKeys(setting, setting)).toEqual({ signing: undefined, published: [] });
    expect((await parseAuditKeys(setting, RFC.x)).published).toHaveLength(1);
  });

  it.each([
    'garbage',
    RFC.seed.slice(0, -1),
    `${RFC.seed}=`,
    RFC.seed.replace('/', '_'),
    `${RFC.seed},${newSeed()}`,
    'ab'.repeat(32),
    btoa('\0'.repeat(32)),
    btoa('0123456789abcdef'),
    JSON.stringify({
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: RFC.x,
    }),
  ])('AUDIT_SIGNING_KEY=%s -> malformed, and the error repeats no part of it', async (setting) => {
    const error = await parseAuditKeys(setting, undefined).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(AuditKeyError);
    expect([error.name, error.message]).toEqual([
      'AuditKeyError',
      expect.stringContaining('AUDIT_SIGNING_KEY'),
    ]);
    expect([error.reason, JSON.stringify(error).includes(setting), String(error).includes(setting)]).toEqual([
      'malformed',
      false,
      false,
    ]);
  });

  it.each(['garbage', RFC.seed, `${RFC.x},`, `${RFC.x} ${RFC.x}`, RFC.x.slice(1)])(
    'AUDIT_PUBLIC_KEYS=%s -> malformed',
    async (setting) => {
      await expect(parseAuditKeys(RFC.seed, setting)).rejects.toMatchObject({ reason: 'malformed' });
    },
  );
});

const encode = (value: object) =>
  btoa(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

async function makeCheckpoint() {
  const keys = await parseAuditKeys(newSeed(), undefined);
  const others = await parseAuditKeys(newSeed(), undefined);
  const jws = await signHead(keys, head);
  const signedAs = async (header: object, key = keys.signing?.key) =>
    new CompactSign(new TextEncoder().encode(JSON.stringify(head)))
      .setProtectedHeader({
        alg: 'EdDSA',
        kid: keys.signing?.kid ?? '',
        typ: 'audit-checkpoint+jwt',
        ...header,
      })
      .sign(key as CryptoKey);
  return { keys, others, jws, parts: jws.split('.'), signedAs };
}
type Checkpoint = Awaited<ReturnType<typeof makeCheckpoint>>;

/** Created at the first use. A key that cannot be parsed then fails that test, not the loading of this file. */
let made: Promise<Checkpoint> | undefined;
const checkpoint = () => {
  made ??= makeCheckpoint();
  return made;
};
const published = (set: Checkpoint['keys']): AuditKeys => ({ keys: [...set.published] });

const FORGED: [string, (made: Checkpoint) => string | Promise<string>][] = [
  ['another payload', ({ parts }) => [parts[0], encode({ ...head, seq: 8 }), parts[2]].join('.')],
  ['a signature of nothing', ({ parts }) => [parts[0], parts[1], 'A'.repeat(86)].join('.')],
  ['no signature', ({ parts }) => [parts[0], parts[1], ''].join('.')],
  ['a part too many', ({ jws }) => `${jws}.`],
  [
    'alg none',
    ({ keys, parts }) =>
      [encode({ alg: 'none', kid: keys.signing?.kid, typ: 'audit-checkpoint+jwt' }), parts[1], ''].join('.'),
  ],
  [
    'another algorithm',
    async ({ signedAs }) => signedAs({ alg: 'ES256' }, (await generateKeyPair('ES256')).privateKey),
  ],
  // RFC 9864: another name for the same algorithm. One name is enough.
  ['another name of the algorithm', ({ signedAs }) => signedAs({ alg: 'Ed25519' })],
  ['a key that is not published', ({ others }) => signHead(others, head)],
  [
    'the id of one key and the signature of another',
    ({ signedAs, others }) => signedAs({}, others.signing?.key),
  ],
  ['another type', ({ signedAs }) => signedAs({ typ: 'JWT' })],
  ['a critical extension', ({ signedAs }) => signedAs({ b64: true, crit: ['b64'] })],
  [
    'a payload that is not UTF-8',
    ({ keys }) =>
      new CompactSign(Uint8Array.of(0x22, 0xff, 0x22))
        .setProtectedHeader({ alg: 'EdDSA', kid: keys.signing?.kid ?? '', typ: 'audit-checkpoint+jwt' })
        .sign(keys.signing?.key as CryptoKey),
  ],
  ['padding', ({ jws }) => `${jws}==`],
  ['nothing', () => ''],
  ['garbage', () => 'a.b.c'],
];

describe('a signed head', () => {
  it('is opened by both implementations, also after another key has become the signing key', async () => {
    const { keys, jws } = await checkpoint();
    const later = await parseAuditKeys(newSeed(), keys.published[0]?.x);
    for (const set of [keys, later]) {
      expect(await openCheckpoint(set, jws)).toEqual(head);
      expect(await openInSdk(jws, published(set))).toEqual(head);
    }
  });

  it('is not signed without a key', async () => {
    const sign = async () => signHead({ signing: undefined, published: [] }, head);
    await expect(sign()).rejects.toMatchObject({ name: 'AuditKeyError', reason: 'missing' });
  });

  it.each(FORGED)('with %s -> not opened by either', async (name, forge) => {
    const made = await checkpoint();
    const text = await forge(made);
    // jose knows this one extension, and ignores padding; the SDK does neither.
    if (!['a critical extension', 'padding'].includes(name))
      expect(await openCheckpoint(made.keys, text)).toBeUndefined();
    expect(await openInSdk(text, published(made.keys))).toBeUndefined();
  });
});
