/** Fernet tokens for tests, created with Node's own cryptography: a second implementation beside the one under test. */
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';

export const newFernetKey = (): string =>
  randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

export interface Bend {
  readonly version?: number;
  /** Seconds since the epoch. */
  readonly at?: number;
  readonly padded?: boolean;
}

/** A token with this message. `bend` changes it before signing: only a holder of the key could create such a token. */
export function fernetToken(
  key: string,
  message: string | Uint8Array,
  { version = 0x80, at = Math.floor(Date.now() / 1000), padded = true }: Bend = {},
): string {
  const bytes = Buffer.from(key, 'base64url');
  const iv = randomBytes(16);
  const head = Buffer.alloc(9);
  head.writeUInt8(version);
  head.writeBigUInt64BE(BigInt(at), 1);
  const cipher = createCipheriv('aes-128-cbc', bytes.subarray(16), iv).setAutoPadding(padded);
  const signed = Buffer.concat([head, iv, cipher.update(message), cipher.final()]);
  const mac = createHmac('sha256', bytes.subarray(0, 16)).update(signed).digest();
  return withPadding(Buffer.concat([signed, mac]));
}

export const withPadding = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
