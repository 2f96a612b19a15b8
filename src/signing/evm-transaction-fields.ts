import { SigningInputError } from './input-error.ts';
import {
  isRecord,
  MAX_CHAIN_ID,
  MAX_UINT64,
  MAX_UINT256,
  readEvmAddress,
  readHex,
  readQuantity,
} from './values.ts';

type Hex = `0x${string}`;

const MAX_LIST_ITEMS = 256;

/** Half of the order of secp256k1. Nodes reject a higher s (EIP-2). */
const MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Parses the fields of a transaction in the form of JSON-RPC, each of them strictly. */
export class TransactionFields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  /** The field `type`, or else the type that the other fields imply, or else EIP-1559. */
  type(): number {
    if (this.#has('type')) return Number(this.#quantity('type', 255n));
    if (this.#has('authorizationList')) return 4;
    if (this.#has('blobVersionedHashes') || this.#has('maxFeePerBlobGas')) return 3;
    if (!this.#has('gasPrice')) return 2;
    return this.#has('accessList') ? 1 : 0;
  }

  allowOnly(names: readonly string[]): void {
    if (Object.keys(this.#fields).some((name) => !names.includes(name))) {
      throw new SigningInputError(
        'transaction_malformed',
        '',
        `has a field that is not one of: ${names.join(', ')}`,
      );
    }
  }

  /** Required: without a chain id, the transaction could be replayed on every chain (EIP-155). */
  chainId(): number {
    const chainId = this.#quantity('chainId', MAX_CHAIN_ID);
    if (chainId === 0n) throw malformed('chainId', 'must be at least 1');
    return Number(chainId);
  }

  /** At most 2^64 - 2 (EIP-2681). */
  nonce(): bigint {
    return this.#quantity('nonce', MAX_UINT64 - 1n);
  }

  gas(): bigint {
    return this.#quantity('gas', MAX_UINT64);
  }

  value(): bigint {
    return this.#quantity('value', MAX_UINT256, 0n);
  }

  fee(name: string, absent?: bigint): bigint {
    return this.#quantity(name, MAX_UINT256, absent);
  }

  /** `null` creates a contract. */
  to(): Hex | null {
    return this.#has('to') ? this.#address('to') : null;
  }

  requiredTo(): Hex {
    return this.#address('to');
  }

  from(): Hex | undefined {
    return this.#has('from') ? this.#address('from') : undefined;
  }

  data(): Hex {
    const [data, input] = [this.#data('data'), this.#data('input')];
    if (data !== undefined && input !== undefined && data !== input)
      throw malformed('input', 'differs from data: send one of them');
    return data ?? input ?? '0x';
  }

  accessList() {
    return this.#list('accessList', true).map((item, index) => {
      const at = `accessList/${index}`;
      const { address, storageKeys, ...others } = item;
      const keys = Array.isArray(storageKeys) ? storageKeys.map((key) => readHex(key, 32)) : [undefined];
      if (Object.keys(others).length > 0 || keys.length > MAX_LIST_ITEMS)
        throw malformed(at, `must have only address and at most ${MAX_LIST_ITEMS} storageKeys`);
      if (!keys.every((key) => key !== undefined))
        throw malformed(`${at}/storageKeys`, 'must be a list of hex texts of 32 bytes');
      return { address: required(readEvmAddress(address), `${at}/address`), storageKeys: keys };
    });
  }

  blobVersionedHashes(): Hex[] {
    const hashes = this.#fields.blobVersionedHashes;
    if (!Array.isArray(hashes) || hashes.length === 0 || hashes.length > MAX_LIST_ITEMS) {
      throw malformed('blobVersionedHashes', 'must be a list of hashes of 32 bytes in hex');
    }
    return hashes.map((hash, index) => required(readHex(hash, 32), `blobVersionedHashes/${index}`));
  }

  /** The authorizations are already signed by their accounts. They are not signed here. */
  authorizationList() {
    const list = this.#list('authorizationList', false);
    if (list.length === 0) throw malformed('authorizationList', 'must not be empty');
    return list.map((item, index) => {
      const at = `authorizationList/${index}`;
      const { address, chainId, nonce, yParity, v, r, s, ...others } = item;
      if (Object.keys(others).length > 0)
        throw malformed(at, 'must have only the fields of a signed authorization');
      const parity = quantity(yParity ?? v, `${at}/yParity`, 28n);
      return {
        address: required(readEvmAddress(address), `${at}/address`),
        chainId: Number(quantity(chainId, `${at}/chainId`, MAX_CHAIN_ID)),
        nonce: quantity(nonce, `${at}/nonce`, MAX_UINT64 - 1n),
        yParity: parityOf(parity, at),
        r: word(quantity(r, `${at}/r`, MAX_UINT256)),
        s: word(quantity(s, `${at}/s`, MAX_S)),
      };
    });
  }

  /** In JSON-RPC, an absent field may be null. */
  #has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  #quantity(name: string, max: bigint, absent?: bigint): bigint {
    if (absent !== undefined && !this.#has(name)) return absent;
    return quantity(this.#fields[name], name, max);
  }

  #address(name: string): Hex {
    return required(readEvmAddress(this.#fields[name]), name);
  }

  #data(name: string): Hex | undefined {
    return this.#has(name) ? required(readHex(this.#fields[name]), name) : undefined;
  }

  #list(name: string, optional: boolean): Readonly<Record<string, unknown>>[] {
    if (optional && !this.#has(name)) return [];
    const list = this.#fields[name];
    if (!Array.isArray(list) || list.length > MAX_LIST_ITEMS || !list.every(isRecord)) {
      throw malformed(name, 'must be a list of objects');
    }
    return list;
  }
}

function malformed(field: string, detail: string): SigningInputError {
  return new SigningInputError('transaction_malformed', field, detail);
}

function required<Value>(value: Value | undefined, field: string): Value {
  if (value === undefined) throw malformed(field, 'is missing or malformed');
  return value;
}

function quantity(value: unknown, field: string, max: bigint): bigint {
  const read = required(readQuantity(value), field);
  if (read > max) throw malformed(field, 'is too large');
  return read;
}

/** `yParity` is 0 or 1. Some libraries send `v`, which is 27 or 28. */
function parityOf(value: bigint, at: string): number {
  if (value === 0n || value === 27n) return 0;
  if (value === 1n || value === 28n) return 1;
  throw malformed(`${at}/yParity`, 'must be 0 or 1');
}

const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;
