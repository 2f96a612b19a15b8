/** Solana transactions as @solana/kit builds and signs them. */
import { base58 } from '@scure/base';
import {
  AccountRole,
  type Address,
  address,
  appendTransactionMessageInstructions,
  compileTransaction,
  compressTransactionMessageUsingAddressLookupTables,
  createKeyPairFromPrivateKeyBytes,
  createTransactionMessage,
  getBase58Decoder,
  getBase64Decoder,
  getBase64EncodedWireTransaction,
  type Instruction,
  partiallySignTransaction,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit';
import type { TestKey } from './private-keys.ts';

// Kit checks for a browser feature (a secure context), which workerd does not define.
Object.assign(globalThis, { isSecureContext: true });

export const SYSTEM = address('11111111111111111111111111111111');
export const COMPUTE_BUDGET = address('ComputeBudget111111111111111111111111111111');
export const newAddress = () => address(base58.encode(crypto.getRandomValues(new Uint8Array(32))));

const lifetime = {
  blockhash: newAddress() as string as Parameters<
    typeof setTransactionMessageLifetimeUsingBlockhash
  >[0]['blockhash'],
  lastValidBlockHeight: 0n,
};

export interface Options {
  readonly version?: 'legacy' | 0;
  /** Addresses that the message looks up in a table instead of listing them. */
  readonly lookedUp?: readonly Address[];
}

export function compiled(payer: string, instructions: readonly Instruction[], options: Options = {}) {
  const { version = 0, lookedUp = [] } = options;
  const message = appendTransactionMessageInstructions(
    instructions,
    setTransactionMessageLifetimeUsingBlockhash(
      lifetime,
      setTransactionMessageFeePayer(address(payer), createTransactionMessage({ version: version as 0 })),
    ),
  );
  if (lookedUp.length === 0) return compileTransaction(message);
  return compileTransaction(
    compressTransactionMessageUsingAddressLookupTables(message, { [newAddress()]: [...lookedUp] }),
  );
}

export type Compiled = ReturnType<typeof compiled>;

/** Base64 of its message, as the API accepts it. */
export const messageOf = ({ messageBytes }: Compiled): string => getBase64Decoder().decode(messageBytes);

/** The results of Kit with the same key: the signature in base58, and the transaction as nodes accept it. */
export async function signedByKit(transaction: Compiled, key: TestKey) {
  const pair = await createKeyPairFromPrivateKeyBytes(key.secret);
  const signed = await partiallySignTransaction([pair], transaction);
  const signature = signed.signatures[address(key.address)];
  if (!signature) throw new TypeError('Kit did not sign');
  return {
    signature: getBase58Decoder().decode(signature),
    signed_transaction: getBase64EncodedWireTransaction(signed),
  };
}

/** Little-endian numbers of these sizes, one after the other, and whole byte strings. */
export function packed(
  ...parts: readonly (readonly [size: 1 | 4 | 8, value: bigint | number] | Uint8Array)[]
) {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (part instanceof Uint8Array) return [...part];
      const [size, value] = part;
      return Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n));
    }),
  );
}

export const signerAccount = (account: string) => ({
  address: address(account),
  role: AccountRole.WRITABLE_SIGNER,
});
export const writable = (account: string) => ({ address: address(account), role: AccountRole.WRITABLE });
export const readonly = (account: string) => ({ address: address(account), role: AccountRole.READONLY });
export const readonlySigner = (account: string) => ({
  address: address(account),
  role: AccountRole.READONLY_SIGNER,
});

export const system = (data: Uint8Array, ...accounts: NonNullable<Instruction['accounts']>): Instruction => ({
  programAddress: SYSTEM,
  accounts,
  data,
});

export const transfer = (from: string, to: string, lamports: bigint | number): Instruction =>
  system(packed([4, 2], [8, lamports]), signerAccount(from), writable(to));
