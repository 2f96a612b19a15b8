/** The digests of typed data by the libraries that bots and wallets use, each given the document in the form that it takes. */
import { SignTypedDataVersion, TypedDataUtils } from '@metamask/eth-sig-util';
import { TypedDataEncoder } from 'ethers';
import { hashTypedData, toHex } from 'viem';

export interface Field {
  readonly name: string;
  readonly type: string;
}
export interface Document {
  readonly domain?: Readonly<Record<string, unknown>>;
  readonly types: Readonly<Record<string, readonly Field[]>>;
  readonly primaryType: string;
  readonly message: Readonly<Record<string, unknown>>;
}

/** A digest, `rejected`, or `not expressible` if the library has no form for such a document. */
export interface Digests {
  readonly viem: string;
  readonly ethers: string;
  readonly metamask: string;
}

const EIP712_DOMAIN = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
];

export function digestsOf(document: Document): Digests {
  return {
    viem: digest(() => byViem(document)),
    ethers: digest(() => byEthers(document)),
    metamask: digest(() => byMetaMask(document)),
  };
}

function digest(hash: () => string): string {
  try {
    return hash();
  } catch {
    return 'rejected';
  }
}

const byViem = (document: Document) => hashTypedData(document as Parameters<typeof hashTypedData>[0]);

/** It requires `types.EIP712Domain`: a document without it gets the one that viem and ethers add. */
function byMetaMask({ domain = {}, types, ...rest }: Document): string {
  const present = EIP712_DOMAIN.filter(({ name }) => domain[name] !== undefined && domain[name] !== null);
  const complete = { ...rest, domain, types: { EIP712Domain: present, ...types } };
  return toHex(TypedDataUtils.eip712Hash(complete as never, SignTypedDataVersion.V4));
}

/**
 * It takes the domain's members without their types, in the order and with the types of EIP-712, and no struct that the
 * message does not need.
 */
function byEthers({ domain = {}, types, primaryType, message }: Document): string {
  const { EIP712Domain: declared } = types;
  const standard = EIP712_DOMAIN.filter(({ name }) => declared?.some((field) => field.name === name));
  if (declared && JSON.stringify(declared) !== JSON.stringify(standard)) return 'not expressible';
  const members = declared
    ? Object.fromEntries(declared.map(({ name }) => [name, domain[name] ?? missing()]))
    : domain;
  const needed = Object.fromEntries(
    [...reachable(types, primaryType)].map((name) => [name, [...(types[name] ?? [])]]),
  );
  if (isRecursive(types, primaryType)) return 'not expressible';
  return TypedDataEncoder.hash(members, needed, message);
}

function missing(): never {
  throw new TypeError('a declared member of the domain is missing');
}

const elementOf = (type: string) => type.replace(/(\[\d*\])+$/, '');

function reachable(types: Document['types'], struct: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(struct) || !Object.hasOwn(types, struct)) return found;
  found.add(struct);
  for (const { type } of types[struct] ?? []) reachable(types, elementOf(type), found);
  return found;
}

function isRecursive(types: Document['types'], struct: string, path: readonly string[] = []): boolean {
  if (path.includes(struct)) return true;
  const fields = Object.hasOwn(types, struct) ? (types[struct] ?? []) : [];
  return fields.some(({ type }) => isRecursive(types, elementOf(type), [...path, struct]));
}
