/** The lists of a transaction whose items are objects: storage to be read (EIP-2930), and authorizations (EIP-7702). */
import { address, malformed, quantity, required } from './evm-transaction-values.ts';
import { hexFault, isRecord, MAX_CHAIN_ID, MAX_UINT64, MAX_UINT256, readHex } from './values.ts';

type Hex = `0x${string}`;

/** Addresses and storage keys together. Nodes accept transactions of 128 KiB, in which 5,461 addresses fit. */
const MAX_ACCESS_LIST_ITEMS = 8192;
const MAX_AUTHORIZATIONS = 1024;

/** Half of the order of secp256k1. Nodes reject a higher s (EIP-2). */
const MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

export function readAccessList(value: unknown, chainId: string) {
  let items = 0;
  const count = (more: number) => {
    items += more;
    if (items > MAX_ACCESS_LIST_ITEMS)
      throw malformed('accessList', `has more than ${MAX_ACCESS_LIST_ITEMS} addresses and storage keys`);
  };
  return listOf(value, 'accessList', 'must be a list of {address, storageKeys}').map((item, index) => {
    const at = `accessList/${index}`;
    const { address: account, storageKeys, ...others } = item;
    if (Object.keys(others).length > 0) throw malformed(at, 'must have only address and storageKeys');
    if (!Array.isArray(storageKeys))
      throw malformed(`${at}/storageKeys`, 'must be a list of hex texts of 32 bytes');
    count(1 + storageKeys.length);
    return {
      address: lowerAddress(account, `${at}/address`, chainId),
      storageKeys: storageKeys.map((key, n) =>
        required(readHex(key, 32), `${at}/storageKeys/${n}`, hexFault(key, 32)),
      ),
    };
  });
}

/** In lower case: an address without a checksum then needs no hash, and a list can have thousands of them. */
function lowerAddress(value: unknown, field: string, chainId: string): Hex {
  if (typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value)) return value as Hex;
  return address(value, field, chainId).toLowerCase() as Hex;
}

/** The authorizations are already signed by their accounts. They are not signed here. */
export function readAuthorizationList(value: unknown) {
  const list = listOf(value, 'authorizationList', 'must be a list of signed authorizations');
  if (list.length === 0) throw malformed('authorizationList', 'must not be empty');
  if (list.length > MAX_AUTHORIZATIONS)
    throw malformed('authorizationList', `has more than ${MAX_AUTHORIZATIONS} authorizations`);
  return list.map((item, index) => {
    const at = `authorizationList/${index}`;
    const { address: account, chainId, nonce, yParity, v, r, s, signature, ...others } = item;
    if (signature !== undefined && signature !== null)
      throw malformed(
        `${at}/signature`,
        'is not a field of JSON-RPC: send its yParity, r and s in its place',
      );
    if (Object.keys(others).length > 0)
      throw malformed(at, 'must have only address, chainId, nonce, yParity, r and s');
    return {
      address: address(account, `${at}/address`),
      chainId: Number(quantity(chainId, `${at}/chainId`, MAX_CHAIN_ID)),
      nonce: quantity(nonce, `${at}/nonce`, MAX_UINT64 - 1n),
      yParity: parityOf(yParity, v, `${at}/yParity`),
      r: word(quantity(r, `${at}/r`, MAX_UINT256)),
      s: word(quantity(s, `${at}/s`, MAX_S)),
    };
  });
}

function listOf(value: unknown, field: string, fault: string): Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) throw malformed(field, fault);
  const index = value.findIndex((item) => !isRecord(item));
  if (index >= 0) throw malformed(`${field}/${index}`, 'must be an object');
  return value;
}

/** `yParity` is 0 or 1. Some libraries send `v`, which is 27 or 28, or both. */
function parityOf(yParity: unknown, v: unknown, at: string): number {
  const [one, other] = [quantity(yParity ?? v, at, 28n) % 27n, quantity(v ?? yParity, at, 28n) % 27n];
  if (one > 1n || one !== other) throw malformed(at, 'must be 0 or 1, and agree with v');
  return Number(one);
}

const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;
