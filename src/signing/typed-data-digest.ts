/** The hashes of EIP-712, by ox. Its errors are dropped, because their messages quote values. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import * as TypedData from 'ox/TypedData';
import { malformed, type Types } from './typed-data-types.ts';

type Hash = `0x${string}`;

/** EIP-191, version 0x01. No transaction begins with these bytes. */
const PREFIX = Uint8Array.of(0x19, 0x01);

/** `hashStruct` of a struct whose members were read. @throws {SigningInputError} */
export function structHash(types: Types, primaryType: string, data: Record<string, unknown>): Hash {
  const plain: TypedData.TypedData = Object.assign(Object.create(null), Object.fromEntries(types));
  try {
    return TypedData.hashStruct({ data, primaryType, types: plain });
  } catch {
    throw malformed('', 'cannot be encoded');
  }
}

/** The digest that is signed (EIP-712, "Specification"). */
export function digestOf(separator: Hash, hash: Hash): Uint8Array<ArrayBuffer> {
  return keccak_256(concatBytes(PREFIX, hexToBytes(separator.slice(2)), hexToBytes(hash.slice(2))));
}
