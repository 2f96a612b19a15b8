import { createECDH, randomBytes } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect, it } from 'vitest';
import { parsePrivateKey } from '../../src/keys/index.ts';

// OpenSSL's secp256k1 is the second implementation here. It has no Keccak-256 (SHA3-256 has another padding), so the
// hash is tested with the published addresses of evm.workerd.test.ts.
it('derives the address of the public point that OpenSSL computes, for a hundred random EVM private keys', () => {
  for (let i = 0; i < 100; i++) {
    const privateKey = randomBytes(32);
    const curve = createECDH('secp256k1');
    curve.setPrivateKey(privateKey);
    const point = Uint8Array.from(curve.getPublicKey().subarray(1));
    const { address } = parsePrivateKey({ privateKey: privateKey.toString('hex') });
    expect(address.toLowerCase()).toBe(`0x${bytesToHex(keccak_256(point)).slice(-40)}`);
  }
});
