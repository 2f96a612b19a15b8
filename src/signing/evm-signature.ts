import { bytesToHex } from '@noble/hashes/utils.js';

/** The parts of a 65-byte signature, in the form that `ox` takes. */
export function partsOf(signature: Uint8Array) {
  return {
    r: `0x${bytesToHex(signature.subarray(0, 32))}` as const,
    s: `0x${bytesToHex(signature.subarray(32, 64))}` as const,
    yParity: signature[64] ?? 0,
  };
}

/** 65 bytes in hex. The last byte is 27 or 28, as wallets return it and `ecrecover` of contracts requires it. */
export function signatureHex(signature: Uint8Array): string {
  return `0x${bytesToHex(signature.subarray(0, 64))}${signature[64] === 1 ? '1c' : '1b'}`;
}
