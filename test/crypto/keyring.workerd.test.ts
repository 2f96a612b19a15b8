import { sha256 } from '@noble/hashes/sha2.js';
import { base64, base64url, base64urlnopad } from '@scure/base';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KeyringError, parseKeyring } from '../../src/crypto/keyring.ts';
import { FIRST, FIRST_KEY, SECOND, SECOND_KEY } from './fixtures.ts';

/** RFC 7638, section 3, for an oct key: its required members in lexical order, without white space. */
function thumbprint(key: Uint8Array): string {
  const json = `{"k":"${base64urlnopad.encode(key)}","kty":"oct"}`;
  return base64urlnopad.encode(sha256(new TextEncoder().encode(json)));
}

async function refusal(setting: string | undefined): Promise<KeyringError> {
  const error = await parseKeyring(setting).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KeyringError);
  expect(error).toMatchObject({ name: 'KeyringError', message: expect.stringMatching(/^ENCRYPTION_KEY /) });
  return error as KeyringError;
}

afterEach(() => vi.restoreAllMocks());

describe('parseKeyring', () => {
  it('parses one key, which seals and opens', async () => {
    const ring = await parseKeyring(FIRST);
    expect(ring.primary.id).toBe(thumbprint(FIRST_KEY));
    expect([...ring.byId.values()]).toEqual([ring.primary]);
  });

  it('seals with the first key of a list and opens with every key of it', async () => {
    const ring = await parseKeyring(`${SECOND},${FIRST}`);
    expect(ring.primary.id).toBe(thumbprint(SECOND_KEY));
    expect([...ring.byId.keys()]).toEqual([thumbprint(SECOND_KEY), thumbprint(FIRST_KEY)]);
  });

  it('ignores white space around an entry', async () => {
    const ring = await parseKeyring(`\n  ${FIRST} ,\t${SECOND}\r\n`);
    expect([...ring.byId.keys()]).toEqual([thumbprint(FIRST_KEY), thumbprint(SECOND_KEY)]);
  });

  it('names any key by its RFC 7638 thumbprint', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (key) => {
        fc.pre(new Set(key).size > 1);
        const ring = await parseKeyring(base64.encode(key));
        expect(ring.primary.id).toBe(thumbprint(key));
      }),
    );
  });

  it('imports keys for AES-GCM that cannot be exported', async () => {
    const { key } = (await parseKeyring(FIRST)).primary;
    expect(key.extractable).toBe(false);
    expect(key.algorithm).toEqual({ name: 'AES-GCM', length: 256 });
    expect([...key.usages].sort()).toEqual(['decrypt', 'encrypt']);
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
    await expect(crypto.subtle.exportKey('jwk', key)).rejects.toThrow();
  });

  it('wipes the raw bytes after importing them', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    await parseKeyring(`${FIRST},${SECOND}`);
    const imported = importKey.mock.calls.map(([, bytes]) => bytes);
    expect(imported).toEqual([new Uint8Array(32), new Uint8Array(32)]);
  });

  const short = base64.encode(FIRST_KEY.subarray(1));
  const long = base64.encode(new Uint8Array([...FIRST_KEY, 33]));
  const withDash = base64.encode(new Uint8Array(32).fill(251, 1)); // has + and /

  it.each([
    ['not set', undefined, 'missing'],
    ['empty', '', 'missing'],
    ['blank', ' \n\t', 'missing'],
    ['31 bytes', short, 'malformed'],
    ['33 bytes', long, 'malformed'],
    ['hex of 32 bytes', '01'.repeat(32), 'malformed'],
    ['no padding', FIRST.replace('=', ''), 'malformed'],
    ['too much padding', `${FIRST}=`, 'malformed'],
    ['the base64url alphabet', base64url.encode(base64.decode(withDash)), 'malformed'],
    ['a line break inside', `${FIRST.slice(0, 20)}\n${FIRST.slice(20)}`, 'malformed'],
    ['a last character with unused bits set', FIRST.replace('A=', 'B='), 'malformed'],
    ['an empty entry at the end', `${FIRST},`, 'malformed'],
    ['an empty entry at the start', `,${FIRST}`, 'malformed'],
    ['a malformed second entry', `${FIRST},${SECOND.slice(1)}`, 'malformed'],
    ['semicolons', `${FIRST};${SECOND}`, 'malformed'],
    ['32 zeros', base64.encode(new Uint8Array(32)), 'weak'],
    ['32 equal bytes', base64.encode(new Uint8Array(32).fill(0xab)), 'weak'],
    ['a weak second entry', `${FIRST},${base64.encode(new Uint8Array(32))}`, 'weak'],
    ['the same key twice', `${FIRST},${SECOND},${FIRST}`, 'duplicate'],
  ])('rejects a setting that is or has %s', async (_, setting, reason) => {
    expect((await refusal(setting)).reason).toBe(reason);
  });

  it('accepts the alphabet with + and /', async () => {
    expect(withDash).toMatch(/[+/]/);
    expect((await parseKeyring(withDash)).byId.size).toBe(1);
  });

  it('never repeats the setting in the error', async () => {
    for (const setting of [short, long, `${FIRST},${SECOND.slice(1)}`, `${FIRST},${FIRST}`]) {
      const error = await refusal(setting);
      const told = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
      for (let i = 0; i + 6 <= setting.length; i++) expect(told).not.toContain(setting.slice(i, i + 6));
      expect(error.cause).toBeUndefined();
    }
  });
});
