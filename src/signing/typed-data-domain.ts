/** The domain of typed data: what of it is signed, and its separator. */
import { structHash } from './typed-data-digest.ts';
import { atomOf, elementOf, type Field, malformed } from './typed-data-types.ts';
import { MessageReader } from './typed-data-values.ts';
import { isRecord, shownName } from './values.ts';

/** EIP-712, "Definition of domainSeparator". */
const DOMAIN_FIELDS: Readonly<Record<string, string>> = {
  name: 'string',
  version: 'string',
  chainId: 'uint256',
  verifyingContract: 'address',
  salt: 'bytes32',
};

export interface Domain {
  readonly fields: readonly Field[];
  readonly separator: `0x${string}`;
  /** Decimal. Present only if the separator contains `uint256 chainId`: another member binds the signature to no chain. */
  readonly chainId?: string;
}

/**
 * Parses a domain. `types.EIP712Domain` declares what is signed of it. A member that it does not declare is ignored, as viem
 * and MetaMask's library do, so a policy does not see it either. Without that declaration, the members of EIP-712 are signed
 * in its order, as viem and ethers do.
 *
 * @throws {SigningInputError}
 */
export function readDomain(domain: unknown, declared: readonly Field[] | undefined): Domain {
  if (!isRecord(domain)) throw malformed('domain', 'must be an object');
  const fields = declared ?? presentFields(domain);
  for (const [index, { type }] of fields.entries()) {
    // MetaMask's library does not know the structs of `types` here.
    if (atomOf(elementOf(type)) === undefined)
      throw malformed(`types/EIP712Domain/${index}/type`, 'libraries disagree about a struct in a domain');
  }
  const types = new Map([['EIP712Domain', fields]]);
  const values = new MessageReader(types).struct('EIP712Domain', domain, 'domain');
  const isBound = fields.some(({ name, type }) => name === 'chainId' && type === 'uint256');
  return {
    fields,
    separator: structHash(types, 'EIP712Domain', values),
    ...(isBound && { chainId: String(values.chainId) }),
  };
}

function presentFields(domain: Readonly<Record<string, unknown>>): readonly Field[] {
  const isPresent = (name: string) => domain[name] !== undefined && domain[name] !== null;
  for (const name of Object.keys(domain)) {
    if (isPresent(name) && !Object.hasOwn(DOMAIN_FIELDS, name)) {
      const detail =
        'is not a member that EIP-712 defines: declare the members of the domain in types.EIP712Domain';
      throw malformed(`domain/${shownName(name)}`, detail);
    }
  }
  return Object.entries(DOMAIN_FIELDS)
    .filter(([name]) => Object.hasOwn(domain, name) && isPresent(name))
    .map(([name, type]) => ({ name, type }));
}
