import { signatureHex } from './evm-signature.ts';
import type { Signing } from './signing.ts';
import { digestOf, structHash } from './typed-data-digest.ts';
import { readDomain } from './typed-data-domain.ts';
import { malformed, readTypes, requireOneMeaning } from './typed-data-types.ts';
import { MessageReader } from './typed-data-values.ts';

/**
 * Parses typed data in the form of `eth_signTypedData_v4`: `{domain, types, primaryType, message}`. Every declared value is
 * required and must have its type. What viem, ethers and MetaMask's library hash in the same way is accepted. Where they
 * differ, the request is rejected. `types` alone determines what is signed: other members are ignored.
 *
 * @throws {SigningInputError} `typed_data_malformed`
 */
export function readTypedData(typedData: Readonly<Record<string, unknown>>): Signing {
  const { domain: givenDomain = {}, types: givenTypes, primaryType, message } = typedData;
  const types = readTypes(givenTypes);
  if (typeof primaryType !== 'string' || primaryType === 'EIP712Domain' || !types.has(primaryType))
    throw malformed('primaryType', 'must be the name of a struct of types, other than EIP712Domain');
  requireOneMeaning(types, primaryType);
  const domain = readDomain(givenDomain, types.get('EIP712Domain'));
  const data = new MessageReader(types).struct(primaryType, message, 'message');
  return {
    kind: 'evm.typed_data',
    chain: 'evm',
    ...(domain.chainId !== undefined && { chainId: domain.chainId }),
    recipients: [],
    value: 0n,
    payload: digestOf(domain.separator, structHash(types, primaryType, data)),
    finish: (signature) => ({ signature: signatureHex(signature) }),
  };
}
