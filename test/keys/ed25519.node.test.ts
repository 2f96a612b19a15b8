import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isSignedBy, signEd25519 } from '../../src/keys/ed25519.ts';
import * as wiping from '../../src/keys/wipe.ts';
import { ED25519_KEYS } from '../support/published-keys.ts';

// In Node because modules cannot be mocked inside workerd.
vi.mock('../../src/keys/wipe.ts', { spy: true });

const [first, second] = ED25519_KEYS;
const address = base58.encode(hexToBytes(first.publicKey));
const message = utf8ToBytes('something');
/** RFC 8410, section 7. */
const PKCS8 = '302e020100300506032b657004220420';

const held: string[] = [];
beforeEach(() => {
  held.length = 0;
  vi.mocked(wiping.wipe).mockImplementation((...given) => {
    held.push(...given.map(bytesToHex));
    for (const buffer of given) buffer.fill(0);
  });
});
afterEach(() => void vi.restoreAllMocks());

describe('signEd25519', () => {
  it('imports the key as non-extractable for signing, and wipes the imported bytes', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    const signature = Uint8Array.from(await signEd25519(message, hexToBytes(first.seed)));
    expect(importKey.mock.calls).toEqual([['pkcs8', new Uint8Array(48), 'Ed25519', false, ['sign']]]);
    expect(held).toEqual([PKCS8 + first.seed]);
    expect(await isSignedBy(address, message, signature)).toBe(true);
  });

  it('wipes the bytes also if they are not a key', async () => {
    const short = first.seed.slice(2);
    await expect(signEd25519(message, hexToBytes(short))).rejects.toThrow();
    expect(held).toEqual([PKCS8 + short]);
  });
});

describe('isSignedBy is false', () => {
  it.each([
    ['for the address of another', base58.encode(hexToBytes(second.publicKey))],
    ['for a text that is not base58', '0OIl'],
    ['for nothing', ''],
    ['for 31 bytes', base58.encode(new Uint8Array(31).fill(7))],
    ['for 33 bytes', base58.encode(new Uint8Array(33).fill(7))],
  ])('%s', async (_, other) => {
    const signature = Uint8Array.from(await signEd25519(message, hexToBytes(first.seed)));
    expect(await isSignedBy(other, message, signature)).toBe(false);
  });
});
