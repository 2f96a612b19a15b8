import { bytesToHex } from '@noble/hashes/utils.js';

/** The parts of a 65-byte signature, as `ox` takes them. */
export function partsOf(signature: Uint8Array) {
  return {
    r: `0x${bytesToHex(signature.subarray(0, 32))}` as const,
    s: `0x${bytesToHex(signature.subarray(32, 64))}` as const,
    yParity: signature[64] ?? 0,
  };
}

/** 65 bytes in hex, the last 27 or 28, as wallets answer and contracts' `ecrecover` takes them. */
export function signatureHex(signature: Uint8Array): string {
  return `0x${bytesToHex(signature.subarray(0, 64))}${signature[64] === 1 ? '1c' : '1b'}`;
}
