import type { Chain } from './chain.ts';
import { prepareToSign as prepareEcdsa, recoverPoint, signDigest } from './ecdsa.ts';
import { isSignedBy, signEd25519 } from './ed25519.ts';
import { evmAddressOfPoint } from './evm.ts';

/** The key does not sign for this address. The error has no further details, which could reveal something about the key. */
export class SigningError extends Error {
  override readonly name = 'SigningError';

  constructor() {
    super('the signature is not by the expected address');
  }
}

/** Begins what the first signature of an isolate needs. Call it before waiting for the database. */
export function prepareToSign(chain: Chain): void {
  if (chain === 'evm') prepareEcdsa();
}

/**
 * Signs with 32 secret bytes, which the caller wipes. They never become a string here, because strings cannot be wiped.
 *
 * - `evm`: `payload` is a digest of 32 bytes; the signature is 65 bytes, r, s and the parity of y.
 * - `solana`: `payload` is the message; the signature is 64 bytes.
 *
 * The signature is verified with `address` before it is returned. So a key with a wrong address gives no signature, and
 * neither does a computation error: a faulty signature can reveal the key.
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
    const point = signature && recoverPoint(payload, signature);
    if (!point || evmAddressOfPoint(point) !== address) throw new SigningError();
    return signature;
  }
  const signature = new Uint8Array(await signEd25519(payload, secret));
  if (!(await isSignedBy(address, payload, signature))) throw new SigningError();
  return signature;
}
