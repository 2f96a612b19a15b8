import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { isScalar, pointOf } from './ecdsa.ts';
import { KeyInputError } from './input-error.ts';
import { wipe } from './wipe.ts';

const PRIVATE_KEY = /^(?:0x)?([0-9a-fA-F]{64})$/;
const ADDRESS = /^0x([0-9a-fA-F]{40})$/;

/**
 * Parses 64 hex digits, with or without `0x`, to 32 bytes (big-endian). Returns undefined if the text has another form.
 *
 * @throws {KeyInputError} `private_key_out_of_range` when the scalar is not in [1, n-1] (SEC 1, section 3.2.1)
 */
export function readEvmSecret(text: string): Uint8Array | undefined {
  const digits = PRIVATE_KEY.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const secret = hexToBytes(digits);
  if (isScalar(secret)) return secret;
  wipe(secret);
  throw new KeyInputError('private_key_out_of_range');
}

/** The EIP-55 address of a scalar in range: the last 20 bytes of the Keccak-256 of its public point's x and y. */
export function evmAddressOf(secret: Uint8Array): string {
  return evmAddressOfPoint(pointOf(secret));
}

/** The EIP-55 address of a public point: the 64 bytes of its x and y. */
export function evmAddressOfPoint(point: Uint8Array): string {
  return checksummed(bytesToHex(keccak_256(point).subarray(12)));
}

/** The chains whose wallets write addresses with the checksum of EIP-1191: Rootstock and its test network. */
const EIP_1191_CHAINS: ReadonlySet<string> = new Set(['30', '31']);

/**
 * Converts an EVM address to its EIP-55 form. Returns undefined if the text has another form. An address whose letters are
 * all upper case or all lower case has no checksum (EIP-55, "Implementation").
 *
 * @param chainId decimal. On chains that use EIP-1191, its checksum is accepted as well.
 * @throws {KeyInputError} `address_checksum_invalid` if the case is mixed and does not match
 */
export function canonicalEvmAddress(text: string, chainId = ''): string | undefined {
  const digits = ADDRESS.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const lower = digits.toLowerCase();
  const address = checksummed(lower);
  const inOneCase = digits === lower || digits === digits.toUpperCase();
  if (inOneCase || text === address) return address;
  if (EIP_1191_CHAINS.has(chainId) && text === checksummed(lower, `${chainId}0x`)) return address;
  throw new KeyInputError('address_checksum_invalid');
}

/**
 * EIP-55: a letter is upper case if its nibble of the Keccak-256 of the 40 lower-case digits is 8 or more. EIP-1191 hashes
 * the chain id and `0x` before the digits.
 */
function checksummed(digits: string, prefix = ''): string {
  const nibbles = bytesToHex(keccak_256(utf8ToBytes(prefix + digits)));
  const cased = Array.from(digits, (digit, i) => ((nibbles[i] ?? '') >= '8' ? digit.toUpperCase() : digit));
  return `0x${cased.join('')}`;
}
