/**
 * What every signing service must do, with the same libraries and nothing around them: hash the parsed request, sign,
 * verify the signature under the address, write the response. No rules, limits or policies.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base58, base64 } from '@scure/base';
import * as PersonalMessage from 'ox/PersonalMessage';
import * as Eip1559 from 'ox/TxEnvelopeEip1559';
import * as TypedData from 'ox/TypedData';
import { recoverPoint, signDigest } from '../../../src/keys/ecdsa.ts';
import type { SigningRequest } from '../../../src/signing/index.ts';

export async function signEd25519(
  message: Uint8Array<ArrayBuffer>,
  seed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const pkcs8 = new Uint8Array([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32, ...seed]);
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('Ed25519', key, message));
}

export async function verifyEd25519(
  publicKey: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', key, signature, message);
}

/** `secret` is opened again for each. */
export function bareSigning(request: SigningRequest, secret: () => Promise<Uint8Array>, address: string) {
  switch (request.type) {
    case 'evm.message':
      return async () => {
        const text = request.message as string;
        return hexOf(signFor(PersonalMessage.getSignPayload(utf8ToBytes(text)), await secret(), address));
      };
    case 'evm.typed_data':
      return async () => {
        const digest = TypedData.getSignPayload(request.typed_data as unknown as TypedData.encode.Value);
        return hexOf(signFor(digest, await secret(), address));
      };
    case 'evm.transaction':
      return async () => {
        const { chainId, to, ...quantities } = request.transaction as Record<string, `0x${string}`>;
        const envelope = {
          type: 'eip1559',
          chainId: Number(chainId),
          to,
          ...Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, BigInt(value)])),
        } as Eip1559.TxEnvelopeEip1559;
        const signed = signFor(Eip1559.getSignPayload(envelope), await secret(), address);
        const hex = bytesToHex(signed);
        const signature = {
          yParity: signed[64] ?? 0,
          r: `0x${hex.slice(0, 64)}`,
          s: `0x${hex.slice(64, 128)}`,
        } as const;
        return [hex, Eip1559.serialize(envelope, { signature })];
      };
    case 'solana.message':
      return async () => {
        const message = new Uint8Array(utf8ToBytes(request.message as string));
        const signature = await signEd25519(message, await secret());
        if (!(await verifyEd25519(new Uint8Array(base58.decode(address)), message, signature))) throw wrong();
        return base58.encode(signature);
      };
    case 'solana.transaction':
      return async () => {
        const message = new Uint8Array(base64.decode(request.message));
        const signature = await signEd25519(message, await secret());
        if (!(await verifyEd25519(new Uint8Array(base58.decode(address)), message, signature))) throw wrong();
        return [base58.encode(signature), base64.encode(new Uint8Array([1, ...signature, ...message]))];
      };
  }
}

/** 65 bytes: r, s and the parity of y. */
function signFor(digest: string, secret: Uint8Array, address: string): Uint8Array {
  const payload = hexToBytes(digest.slice(2));
  const signature = signDigest(payload, secret);
  const point = signature && recoverPoint(payload, signature);
  const signer = point && bytesToHex(keccak_256(point).subarray(12));
  if (!signature || signer !== address.slice(2).toLowerCase()) throw wrong();
  return signature;
}

const hexOf = (signature: Uint8Array) => `0x${bytesToHex(signature)}`;
const wrong = () => new Error('the signature is not by the expected address');
