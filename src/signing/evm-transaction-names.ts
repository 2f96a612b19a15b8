/** The names and types of transactions as libraries write them, and what to send in place of a field that is rejected. */
import { readQuantity, shownName } from './values.ts';

/** The number of a type (EIP-2718) by its name in viem. */
export const TYPE_NUMBERS: Readonly<Record<string, number>> = {
  legacy: 0,
  eip2930: 1,
  eip1559: 2,
  eip4844: 3,
  eip7702: 4,
};

/** The number of a type that is given by its number or by its name. Undefined for anything else. */
export function transactionType(type: unknown): bigint | undefined {
  const named =
    typeof type === 'string' && Object.hasOwn(TYPE_NUMBERS, type) ? TYPE_NUMBERS[type] : undefined;
  return named === undefined ? readQuantity(type) : BigInt(named);
}

/** Every field of every type, and `gasLimit`, which is the name of `gas` in ethers. */
const KNOWN = [
  'type',
  'chainId',
  'nonce',
  'from',
  'to',
  'value',
  'data',
  'input',
  'gas',
  'gasLimit',
  'gasPrice',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
  'accessList',
  'maxFeePerBlobGas',
  'blobVersionedHashes',
  'authorizationList',
];

const SIGNED = 'is part of a signed transaction: send the transaction without its signature and hash';
const SIDECAR = 'is not signed: send blobVersionedHashes, and add the blobs after signing';
const CHAIN = 'names a chain: send chainId';
const ONE_CHAIN = 'is of a transaction format that only some chains have, which this API does not sign';

/** Fields that libraries have beside those of a transaction. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ...['v', 'r', 's', 'yParity', 'signature', 'sig', 'hash'].map((name) => [name, SIGNED] as const),
  ...['blobs', 'sidecar', 'sidecars', 'kzg', 'commitments', 'proofs'].map((name) => [name, SIDECAR] as const),
  ...['chain', 'common', 'hardfork', 'networkId'].map((name) => [name, CHAIN] as const),
  ...[
    'customData',
    'eip712Meta',
    'paymaster',
    'paymasterInput',
    'factoryDeps',
    'gasPerPubdata',
    'feeCurrency',
  ].map((name) => [name, ONE_CHAIN] as const),
  ['account', 'names the sender: send from, or wallet beside transaction'],
  ['gasFeeCap', 'is not a field of JSON-RPC: send maxFeePerGas'],
  ['gasTipCap', 'is not a field of JSON-RPC: send maxPriorityFeePerGas'],
]);

/** Why a field is rejected that a transaction of this type does not have, and what to send. */
export function unknownFieldFault(name: string, type: number, allowed: readonly string[]): string {
  const remedy = REMEDIES.get(name);
  if (remedy !== undefined) return remedy;
  if (KNOWN.includes(name)) {
    if (/^(gasPrice|max(Priority)?FeePerGas)$/.test(name))
      return `is not a field of a transaction of type ${type}: send gasPrice (types 0 and 1), or maxFeePerGas and maxPriorityFeePerGas (types 2 to 4)`;
    return `is not a field of a transaction of type ${type}, whose fields are ${allowed.join(', ')}`;
  }
  const plain = (text: string) => text.replaceAll('_', '').toLowerCase();
  const meant = KNOWN.find((known) => plain(known) === plain(name));
  return meant === undefined
    ? `is not known: the fields of a transaction of type ${type} are ${allowed.join(', ')}`
    : `is not known: send ${meant}`;
}

/** The field for the path of an error. */
export function pathOf(name: string): string {
  return REMEDIES.has(name) || KNOWN.includes(name) ? name : shownName(name);
}
