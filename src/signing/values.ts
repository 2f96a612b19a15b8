/**
 * Parsers for values of JSON-RPC and EIP-712. They return `undefined` if the value has another form. For an error, the
 * functions `…Fault` then describe what is wrong with the value. They never quote it.
 */
import { canonicalAddress, KeyInputError } from '../keys/index.ts';

export const MAX_UINT64 = 2n ** 64n - 1n;
export const MAX_UINT256 = 2n ** 256n - 1n;

/** With larger ids, the `v` of a legacy transaction (EIP-155) that ox computes exceeds the safe integers and is wrong. */
export const MAX_CHAIN_ID = 4_503_599_627_370_464n;

const QUANTITY = /^(?:0x[0-9a-f]{1,64}|\d{1,78})$/i;
const HEX = /^0x(?:[0-9a-fA-F]{2})*$/;

/** A number that is not negative: hex or decimal text, or a number that is a safe integer. */
export function readQuantity(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
  return typeof value === 'string' && QUANTITY.test(value) ? BigInt(value) : undefined;
}

/** Why a value is not an integer, or not one that is within its limits. */
export function numberFault(value: unknown, limit = 'must not be negative'): string {
  if (value === undefined || value === null) return 'is required';
  if (typeof value !== 'number')
    return typeof value === 'string'
      ? 'must be a decimal text, or 0x and at most 64 hex digits'
      : 'must be a decimal or hex text, or an integer';
  if (!Number.isInteger(value)) return 'must be an integer';
  if (Number.isSafeInteger(value)) return limit;
  return 'is a JSON number beyond 2^53 - 1, which JSON readers round: send it as a decimal or hex text';
}

/** Hex of whole bytes, `size` of them if that is given, in lower case. */
export function readHex(value: unknown, size?: number): `0x${string}` | undefined {
  if (typeof value !== 'string' || !HEX.test(value)) return undefined;
  if (size !== undefined && value.length !== 2 + 2 * size) return undefined;
  return value.toLowerCase() as `0x${string}`;
}

/** Why a value is not hex. */
export function hexFault(value: unknown, size?: number): string {
  if (value === undefined || value === null) return 'is required';
  return size === undefined
    ? 'must be 0x and an even number of hex digits'
    : `must be 0x and ${2 * size} hex digits`;
}

/** An EVM address in EIP-55 form. One with a wrong checksum is rejected. */
export function readEvmAddress(value: unknown, chainId?: string): `0x${string}` | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const { chain, address } = canonicalAddress(value, chainId);
    return chain === 'evm' ? (address as `0x${string}`) : undefined;
  } catch {
    return undefined;
  }
}

/** Why a value is not an EVM address. */
export function addressFault(value: unknown, chainId?: string): string {
  if (value === undefined || value === null) return 'is required';
  try {
    if (typeof value === 'string' && canonicalAddress(value, chainId).chain === 'solana')
      return 'is an address of Solana: send 0x and 40 hex digits';
  } catch (error) {
    if (error instanceof KeyInputError && error.reason === 'address_checksum_invalid')
      return 'has a wrong checksum (EIP-55): check it for a wrong character, or send all letters in lower case';
  }
  return 'must be an address: 0x and 40 hex digits';
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The name of a member, for the path in an error. A private key that was sent as a name must not be repeated, so only names
 * that are made of letters are, with at most four digits at the end.
 */
export function shownName(name: string): string {
  return /^[A-Za-z_$][A-Za-z_$:]{0,39}\d{0,4}$/.test(name) ? name : '(not shown)';
}
