import type { Chain } from './chain.ts';
import { recoverPoint, signDigest } from './ecdsa.ts';
import { isSignedBy, signEd25519 } from './ed25519.ts';
import { evmAddressOfPoint } from './evm.ts';

/** The key does not sign for this address. Says no more: what it is instead is nobody's business. */
export class SigningError extends Error {
  override readonly name = 'SigningError';

  constructor() {
    super('the signature is not by the expected address');
  }
}

/**
 * Signs with 32 secret bytes, which stay the caller's to wipe and are never made into a text here.
 *
 * - `evm`: `payload` is a digest of 32 bytes; the signature is 65 bytes, r, s and the parity of y.
 * - `solana`: `payload` is the message; the signature is 64 bytes.
 *
 * What is returned has been verified under `address`, so a key put to the wrong address, and an arithmetic that
 * went wrong, give no signature at all: a faulty one can give away the key.
 *
 * @throws {SigningError}
 */
export async function signAs(
  { chain, address }: { chain: Chain; address: string },
  payload: Uint8Array<ArrayBuffer>,
  secret: Uint8Array,
): Promise<Uint8Array> {
  if (chain === 'evm') {
    const signature = signDigest(payload, secret);
    if (evmAddressOfPoint(recoverPoint(payload, signature)) !== address) throw new SigningError();
    return signature;
  }
  const signature = new Uint8Array(await signEd25519(payload, secret));
  if (!(await isSignedBy(address, payload, signature))) throw new SigningError();
  return signature;
}
