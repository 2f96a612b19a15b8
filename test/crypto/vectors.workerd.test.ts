/** Published AES-GCM vectors (test/vectors), each on Web Crypto and on @noble/ciphers. */
import { gcm } from '@noble/ciphers/aes.js';
import { bytesToHex, hexToBytes } from '@noble/ciphers/utils.js';
import { describe, expect, it } from 'vitest';
import nist from '../vectors/nist-cavs-aes-gcm-256.json';
import wycheproof from '../vectors/wycheproof-aes-gcm.json';

interface Vector {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
}

const bytes = (hex: string) => Uint8Array.from(hexToBytes(hex));

const webCrypto = {
  async encrypt(vector: Vector, message: string): Promise<string> {
    const key = await crypto.subtle.importKey('raw', bytes(vector.key), 'AES-GCM', false, ['encrypt']);
    return bytesToHex(new Uint8Array(await crypto.subtle.encrypt(parameters(vector), key, bytes(message))));
  },
  async decrypt(vector: Vector, sealed: string): Promise<string> {
    const key = await crypto.subtle.importKey('raw', bytes(vector.key), 'AES-GCM', false, ['decrypt']);
    return bytesToHex(new Uint8Array(await crypto.subtle.decrypt(parameters(vector), key, bytes(sealed))));
  },
};

const noble: typeof webCrypto = {
  encrypt: async (vector, message) => bytesToHex(cipher(vector).encrypt(bytes(message))),
  decrypt: async (vector, sealed) => bytesToHex(cipher(vector).decrypt(bytes(sealed))),
};

function parameters(vector: Vector) {
  return { name: 'AES-GCM', iv: bytes(vector.iv), additionalData: bytes(vector.aad), tagLength: 128 };
}

function cipher(vector: Vector) {
  return gcm(bytes(vector.key), bytes(vector.iv), bytes(vector.aad));
}

describe.each([
  ['Web Crypto', webCrypto],
  ['noble', noble],
])('%s', (_, implementation) => {
  describe('NIST CAVS, AES-256-GCM', () => {
    it('has 100 vectors each for encryption and decryption, and half of the decryptions fail', () => {
      expect(nist.encrypt).toHaveLength(100);
      expect(nist.decrypt).toHaveLength(100);
      expect(nist.decrypt.filter(({ msg }) => msg === null)).toHaveLength(50);
    });

    it.each(nist.encrypt)('encrypts $id', async (vector) => {
      expect(await implementation.encrypt(vector, vector.msg)).toBe(vector.ct + vector.tag);
    });

    it.each(nist.decrypt)('decrypts or rejects $id', async (vector) => {
      const decrypted = implementation.decrypt(vector, vector.ct + vector.tag);
      if (vector.msg === null) await expect(decrypted).rejects.toThrow();
      else expect(await decrypted).toBe(vector.msg);
    });
  });

  describe('Wycheproof', () => {
    const of = (result: string) => wycheproof.tests.filter((test) => test.result === result);

    it('has its 180 vectors', () => {
      expect(['valid', 'invalid', 'acceptable'].map((result) => of(result).length)).toEqual([87, 83, 10]);
    });

    it.each(of('valid'))('encrypts and decrypts $id $comment', async (vector) => {
      expect(await implementation.encrypt(vector, vector.msg)).toBe(vector.ct + vector.tag);
      expect(await implementation.decrypt(vector, vector.ct + vector.tag)).toBe(vector.msg);
    });

    it.each(of('invalid'))('rejects $id $comment', async (vector) => {
      await expect(implementation.decrypt(vector, vector.ct + vector.tag)).rejects.toThrow();
    });

    // IVs shorter than 96 bits: an implementation may reject them, but must not return a wrong result.
    it.each(of('acceptable'))('decrypts correctly or rejects $id $comment', async (vector) => {
      const decrypted = await implementation.decrypt(vector, vector.ct + vector.tag).catch(() => vector.msg);
      expect(decrypted).toBe(vector.msg);
    });
  });
});
