/**
 * Overwrites each buffer with zeros, in place. It shortens the life of a secret in memory and promises no more:
 * the engine may have copied the bytes, and strings and bigints cannot be wiped at all.
 */
export function wipe(...buffers: Uint8Array[]): void {
  for (const buffer of buffers) buffer.fill(0);
}
