/**
 * Overwrites each buffer with zeros, in place. This shortens the life of a secret in memory, without a guarantee: the
 * engine may have copied the bytes, and strings and bigints cannot be wiped.
 */
export function wipe(...buffers: Uint8Array[]): void {
  for (const buffer of buffers) buffer.fill(0);
}
