import { readAccessList, readAuthorizationList } from './evm-transaction-lists.ts';
import { pathOf, transactionType, unknownFieldFault } from './evm-transaction-names.ts';
import { address, malformed, quantity, required } from './evm-transaction-values.ts';
import { hexFault, MAX_CHAIN_ID, MAX_UINT64, MAX_UINT256, readHex } from './values.ts';

type Hex = `0x${string}`;

/** More than any chain allows in a block. */
const MAX_BLOBS = 256;

/** Parses the fields of a transaction in the form of JSON-RPC, each of them strictly. A field that is null is absent. */
export class TransactionFields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  /**
   * The field `type`, or else the type that the other fields imply, or else EIP-1559. Undefined if the field is not a number
   * or name of a type.
   */
  type(): number | undefined {
    if (this.#has('type')) {
      const number = transactionType(this.#fields.type);
      return number === undefined || number > 4n ? undefined : Number(number);
    }
    if (this.#has('authorizationList')) return 4;
    if (this.#has('blobVersionedHashes') || this.#has('maxFeePerBlobGas')) return 3;
    if (!this.#has('gasPrice')) return 2;
    return this.#has('accessList') ? 1 : 0;
  }

  /** @throws {SigningInputError} for a field that a transaction of this type does not have: it would not be signed */
  allowOnly(names: readonly string[], type: number): void {
    const unknown = Object.keys(this.#fields).find((name) => this.#has(name) && !names.includes(name));
    if (unknown !== undefined) throw malformed(pathOf(unknown), unknownFieldFault(unknown, type, names));
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

  /** ethers names it `gasLimit`. */
  gas(): bigint {
    if (!this.#has('gasLimit')) return this.#quantity('gas', MAX_UINT64);
    const limit = this.#quantity('gasLimit', MAX_UINT64);
    if (this.#has('gas') && this.#quantity('gas', MAX_UINT64) !== limit)
      throw malformed('gasLimit', 'differs from gas: send one of them');
    return limit;
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
    return this.#has('accessList') ? readAccessList(this.#fields.accessList, this.#chain()) : [];
  }

  blobVersionedHashes(): Hex[] {
    const hashes = this.#fields.blobVersionedHashes;
    if (!Array.isArray(hashes) || hashes.length === 0 || hashes.length > MAX_BLOBS)
      throw malformed('blobVersionedHashes', `must be a list of 1 to ${MAX_BLOBS} hashes of 32 bytes in hex`);
    return hashes.map((hash, index) =>
      required(readHex(hash, 32), `blobVersionedHashes/${index}`, hexFault(hash, 32)),
    );
  }

  authorizationList() {
    return readAuthorizationList(this.#fields.authorizationList);
  }

  /** Decimal. Some chains have a checksum of addresses of their own. */
  #chain(): string {
    return String(this.chainId());
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
    return address(this.#fields[name], name, this.#chain());
  }

  #data(name: string): Hex | undefined {
    if (!this.#has(name)) return undefined;
    return required(readHex(this.#fields[name]), name, hexFault(this.#fields[name]));
  }
}
