/** Parsers for values of JSON-RPC and EIP-712. They return `undefined` if the value has another form. */
import { canonicalAddress } from '../keys/index.ts';

export const MAX_UINT64 = 2n ** 64n - 1n;
export const MAX_UINT256 = 2n ** 256n - 1n;

/** With larger ids, the `v` of a legacy transaction (EIP-155) that ox computes exceeds the safe integers and is wrong. */
export const MAX_CHAIN_ID = 4_503_599_627_370_464n;

const QUANTITY = /^(?:0x[0-9a-f]{1,64}|\d{1,78})$/i;
const HEX = /^0x(?:[0-9a-f]{2})*$/i;

/** A number that is not negative: hex or decimal text, or a number that is a safe integer. */
export function readQuantity(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
  return typeof value === 'string' && QUANTITY.test(value) ? BigInt(value) : undefined;
}

/** Hex of whole bytes, `size` of them if that is given, in lower case. */
export function readHex(value: unknown, size?: number): `0x${string}` | undefined {
  if (typeof value !== 'string' || !HEX.test(value)) return undefined;
  if (size !== undefined && value.length !== 2 + 2 * size) return undefined;
  return value.toLowerCase() as `0x${string}`;
}

/** An EVM address in EIP-55 form. One with a wrong checksum is rejected. */
export function readEvmAddress(value: unknown): `0x${string}` | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const { chain, address } = canonicalAddress(value);
    return chain === 'evm' ? (address as `0x${string}`) : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
