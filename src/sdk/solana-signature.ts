/** What the Solana signers of this package share: the request, and the check of its signature. */

import type { CallOptions } from './transport.ts';
import { requestSignature, type SigningWallet } from './wallet.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

type Kind = 'solana.transaction' | 'solana.message';

/**
 * The signature of a message, of a transaction or of another kind, after it was verified with the public key of the wallet.
 *
 * @throws {SigningError}
 */
export function signMessage(
  type: Kind,
  wallet: SigningWallet,
  publicKey: ArrayLike<number>,
  message: ArrayLike<number>,
  options?: CallOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.from(message);
  const text = base64(bytes);
  return requestSignature(
    wallet,
    type === 'solana.message' ? { type, message: { base64: text } } : { type, message: text },
    async (text) => {
      const signature = decodeSignature(text);
      return signature && (await verify(publicKey, signature, bytes)) ? signature : undefined;
    },
    options,
  );
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** 64 bytes from base58. It checks only the alphabet and the size, because the signature is verified afterwards. */
function decodeSignature(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[1-9A-HJ-NP-Za-km-z]{64,88}$/.test(text)) return undefined;
  let number = 0n;
  for (const character of text) number = number * 58n + BigInt(ALPHABET.indexOf(character));
  const hex = number.toString(16).padStart(128, '0');
  if (hex.length > 128) return undefined;
  return Uint8Array.from({ length: 64 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** By Web Crypto itself: Kit's own check refuses to run where it takes the runtime for an insecure page. */
async function verify(
  publicKey: ArrayLike<number>,
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const raw = Uint8Array.from(publicKey);
  const key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, signature, message);
}
