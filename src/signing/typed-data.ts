import { hexToBytes } from '@noble/hashes/utils.js';
import * as TypedData from 'ox/TypedData';
import { signatureHex } from './evm-signature.ts';
import { SigningInputError } from './input-error.ts';
import type { Signing } from './signing.ts';
import { type Field, MessageReader, readTypes } from './typed-data-values.ts';
import { isRecord } from './values.ts';

/** EIP-712, "Definition of domainSeparator". */
const DOMAIN_FIELDS: Readonly<Record<string, string>> = {
  name: 'string',
  version: 'string',
  chainId: 'uint256',
  verifyingContract: 'address',
  salt: 'bytes32',
};

/**
 * Parses typed data in the form of `eth_signTypedData_v4`: `{domain, types, primaryType, message}`. Numbers are hex or
 * decimal texts or safe integers. Every value is required and must have its type. Every member of the domain must be part
 * of what is signed, so that the policy checks the chain id that is signed.
 *
 * @throws {SigningInputError} `typed_data_malformed`
 */
export function readTypedData(typedData: Readonly<Record<string, unknown>>): Signing {
  const { domain = {}, types: givenTypes, primaryType, message, ...others } = typedData;
  if (Object.keys(others).length > 0)
    throw malformed('', 'allowed fields are domain, types, primaryType and message');
  if (!isRecord(domain)) throw malformed('domain', 'must be an object');
  const types = readTypes(givenTypes);
  if (typeof primaryType !== 'string' || primaryType === 'EIP712Domain' || !types.has(primaryType)) {
    throw malformed('primaryType', 'must be a type of types');
  }
  const domainType = readDomainType(domain, types.get('EIP712Domain'));
  const all = new Map([...types, ['EIP712Domain', domainType] as const]);
  const reader = new MessageReader(all);
  const readDomain = reader.struct('EIP712Domain', domain, 'domain');
  const readMessage = reader.struct(primaryType, message, 'message');
  const { chainId } = readDomain;
  return {
    kind: 'evm.typed_data',
    chain: 'evm',
    ...(typeof chainId === 'bigint' && { chainId: String(chainId) }),
    recipients: [],
    value: 0n,
    payload: hashOf({
      domain: readDomain,
      types: Object.fromEntries(all),
      primaryType,
      message: readMessage,
    }),
    finish: (signature) => ({ signature: signatureHex(signature) }),
  };
}

/**
 * The fields of the domain: as `types` declares them, or else the members of the domain in the order of EIP-712. Libraries
 * differ about an empty text that is not declared, so it is rejected below.
 */
function readDomainType(
  domain: Readonly<Record<string, unknown>>,
  declared: readonly Field[] | undefined,
): readonly Field[] {
  const present = Object.entries(DOMAIN_FIELDS)
    .filter(([name]) => domain[name] !== undefined && domain[name] !== '')
    .map(([name, type]) => ({ name, type }));
  const fields = declared ?? present;
  if (!fields.every(({ name, type }) => Object.hasOwn(DOMAIN_FIELDS, name) && DOMAIN_FIELDS[name] === type)) {
    throw malformed('types/EIP712Domain', 'has a field that EIP-712 does not define');
  }
  const names = fields.map(({ name }) => name);
  if (!Object.keys(domain).every((name) => names.includes(name))) {
    throw malformed('domain', 'has a member that types.EIP712Domain does not declare');
  }
  return fields;
}

/** The error of the encoder is dropped, because its message quotes values. */
function hashOf(definition: {
  domain: Record<string, unknown>;
  types: Record<string, readonly Field[]>;
  primaryType: string;
  message: Record<string, unknown>;
}): Uint8Array<ArrayBuffer> {
  try {
    return hexToBytes(TypedData.getSignPayload(definition).slice(2));
  } catch {
    throw malformed('', 'cannot be encoded');
  }
}

function malformed(field: string, detail: string): SigningInputError {
  return new SigningInputError('typed_data_malformed', field, detail);
}
