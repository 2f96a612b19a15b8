import { SigningInputError } from './input-error.ts';
import { digestOf } from './typed-data-digest.ts';
import { readDomain } from './typed-data-domain.ts';
import { readTypes } from './typed-data-types.ts';
import { hexFault, isRecord, readHex, shownName } from './values.ts';

const REASON = 'typed_data_hash_malformed';

export interface TypedDataHash {
  /** As for typed data: present only if the separator contains it. */
  readonly chainId?: string;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/**
 * Parses typed data of which the caller has only hashes: `{domain, domain_separator, struct_hash, types?}`. `types` has
 * EIP712Domain alone. The separator is computed again from the contents of the domain, so that these are what is signed. The
 * message stays unknown.
 *
 * @throws {SigningInputError} `typed_data_hash_malformed`
 */
export function readTypedDataHash(given: Readonly<Record<string, unknown>>): TypedDataHash {
  const { domain, domain_separator, struct_hash, types = {}, ...others } = given;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw malformed(
      shownName(unknown),
      'is not known: the fields are domain, domain_separator, struct_hash and types',
    );
  if (isRecord(types) && Object.keys(types).some((name) => name !== 'EIP712Domain'))
    throw malformed('types', 'must have EIP712Domain alone');
  const read = withReason(() => readDomain(domain, readTypes(types).get('EIP712Domain')));
  const separator = readHash(domain_separator, 'domain_separator');
  const structHash = readHash(struct_hash, 'struct_hash');
  if (separator !== read.separator)
    throw malformed(
      'domain_separator',
      'is not the separator of domain: check its members, and declare them in types.EIP712Domain',
    );
  return {
    ...(read.chainId !== undefined && { chainId: read.chainId }),
    payload: digestOf(separator, structHash),
  };
}

function readHash(value: unknown, field: string): `0x${string}` {
  const read = readHex(value, 32);
  if (read === undefined) throw malformed(field, hexFault(value, 32));
  return read;
}

/** The readers of typed data report their own reason. */
function withReason<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof SigningInputError ? malformed(error.field, error.detail) : error;
  }
}

function malformed(field: string, detail: string): SigningInputError {
  return new SigningInputError(REASON, field, detail);
}
