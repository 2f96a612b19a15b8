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
  getCompiledTransactionMessageDecoder,
  getCompiledTransactionMessageEncoder,
  type Instruction,
  partiallySignTransaction,
  setTransactionMessageConfig,
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

export type Config = Parameters<typeof setTransactionMessageConfig>[0];

export interface Options {
  readonly version?: 'legacy' | 0 | 1;
  /** Of version 1. */
  readonly config?: Config;
  /** Addresses that the message looks up in a table instead of listing them. */
  readonly lookedUp?: readonly Address[];
}

export function compiled(payer: string, instructions: readonly Instruction[], options: Options = {}) {
  const { version = 0, config = {}, lookedUp = [] } = options;
  const message = appendTransactionMessageInstructions(
    instructions,
    setTransactionMessageLifetimeUsingBlockhash(
      lifetime,
      setTransactionMessageFeePayer(address(payer), createTransactionMessage({ version: version as 0 })),
    ),
  );
  // The cast above gives all versions one type: all of them take the same steps.
  if (version === 1) {
    const first = message as unknown as Parameters<typeof setTransactionMessageConfig>[1];
    return compileTransaction(setTransactionMessageConfig(config, first) as unknown as typeof message);
  }
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

/** What Kit finds in the bytes of a message. It throws for bytes that are not one, and for those that it encodes differently. */
export function decodedByKit(bytes: Uint8Array) {
  const message = getCompiledTransactionMessageDecoder().decode(bytes);
  const encoded = getCompiledTransactionMessageEncoder().encode(message);
  if (base58.encode(Uint8Array.from(encoded)) !== base58.encode(bytes))
    throw new TypeError('another encoding');
  const { version, header, staticAccounts: accounts } = message;
  const instructions =
    version === 1
      ? message.instructionHeaders.map(({ programAccountIndex }, i) => ({
          program: accounts[programAccountIndex],
          data: message.instructionPayloads[i]?.instructionData ?? new Uint8Array(),
        }))
      : message.instructions.map(({ programAddressIndex, data }) => ({
          program: accounts[programAddressIndex],
          data: data ?? new Uint8Array(),
        }));
  return {
    version,
    signers: accounts.slice(0, header.numSignerAccounts),
    programs: instructions.map(({ program }) => program),
    /** Lamports of `transfer`, the only instruction of the System program that is read here. */
    transferred: instructions
      .filter(({ program, data }) => program === SYSTEM && data[0] === 2 && data.length >= 12)
      .reduce((sum, { data }) => sum + new DataView(Uint8Array.from(data).buffer).getBigUint64(4, true), 0n),
    priorityFee: BigInt(
      (version === 1 && message.configValues.find(({ kind }) => kind === 'u64')?.value) || 0,
    ),
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
