import { pathOf } from './evm-transaction-names.ts';
import { address, malformed, quantity } from './evm-transaction-values.ts';
import { MAX_UINT64, MAX_UINT256 } from './values.ts';

const REASON = 'authorization_malformed';

export interface Authorization {
  /** Decimal. 0 is valid on every chain. */
  readonly chainId: string;
  /** The contract whose code the account would have. */
  readonly address: string;
  readonly nonce: bigint;
}

/**
 * Parses an authorization (EIP-7702) that an account signs to give itself the code of a contract. That contract can then move
 * everything that the account holds.
 *
 * @throws {SigningInputError} `authorization_malformed`
 */
export function readEvmAuthorization(authorization: Readonly<Record<string, unknown>>): Authorization {
  const { address: contract, nonce, chainId, chain_id, ...others } = authorization;
  const unknown = Object.keys(others).find((name) => others[name] !== undefined && others[name] !== null);
  if (unknown !== undefined)
    throw malformed(pathOf(unknown), 'is not known: the fields are chainId, address and nonce', REASON);
  if (chainId !== undefined && chain_id !== undefined)
    throw malformed('chain_id', 'is the same field as chainId: send one of them', REASON);
  const id = quantity(chainId ?? chain_id, 'chainId', MAX_UINT256, REASON);
  return {
    chainId: String(id),
    address: address(contract, 'address', String(id), REASON),
    nonce: quantity(nonce, 'nonce', MAX_UINT64 - 1n, REASON),
  };
}
