import { decodeBase58 } from './base58.ts';
import { wipe } from './wipe.ts';

/** PrivateKeyInfo of an Ed25519 seed (RFC 8410, section 7), up to the 32 bytes of the seed. */
const PKCS8_PREFIX = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);

/**
 * The signature of RFC 8032, 64 bytes, from Web Crypto. The key is imported as PKCS #8, because a JWK is text, which cannot
 * be wiped. The caller wipes the seed.
 */
export async function signEd25519(message: Uint8Array<ArrayBuffer>, seed: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = new Uint8Array(PKCS8_PREFIX.length + seed.length);
  try {
    pkcs8.set(PKCS8_PREFIX);
    pkcs8.set(seed, PKCS8_PREFIX.length);
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('Ed25519', key, message));
  } finally {
    wipe(pkcs8);
  }
}

/** Whether the account with this address signed the message. */
export async function isSignedBy(
  address: string,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const publicKey = decodeBase58(address);
  if (publicKey?.length !== 32) return false;
  const key = await crypto.subtle.importKey('raw', publicKey.slice(), 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, signature, message);
}
