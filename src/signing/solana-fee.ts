import type { SolanaMessage } from './solana-transaction-message.ts';

const LAMPORTS_PER_SIGNATURE = 5_000n;
const MAX_COMPUTE_UNITS = 1_400_000n;
const DEFAULT_COMPUTE_UNITS = 200_000n;
const MICROLAMPORTS = 1_000_000n;

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111';

/** Programs that verify signatures. Their data begins with the number of signatures, each of which costs as much as a signer. */
const VERIFIERS = [
  'Ed25519SigVerify111111111111111111111111111',
  'KeccakSecp256k11111111111111111111111111111',
  'Secp256r1SigVerify1111111111111111111111111',
];

/**
 * The highest fee in lamports that the network takes for a message: the base fee of every signature, and the priority fee.
 * Version 1 states the priority fee. In older messages it is the price times the limit of compute units.
 */
export function highestFee(message: SolanaMessage): bigint {
  const verified = message.instructions.reduce(
    (sum, { program, data }) => sum + (VERIFIERS.includes(program) ? (data[0] ?? 0) : 0),
    0,
  );
  const base = BigInt(message.signers + verified) * LAMPORTS_PER_SIGNATURE;
  // Instructions of the Compute Budget program have no effect in version 1.
  return base + (message.version === 1 ? (message.config.priorityFee ?? 0n) : budgetedFee(message));
}

function budgetedFee({ instructions }: SolanaMessage): bigint {
  let price = 0n;
  let limit: bigint | undefined;
  for (const { program, data } of instructions) {
    if (program !== COMPUTE_BUDGET) continue;
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    // Borsh of `ComputeBudgetInstruction`. A transaction that repeats an instruction fails without a fee.
    if (data[0] === 2 && data.length >= 5) limit = BigInt(view.getUint32(1, true));
    if (data[0] === 3 && data.length >= 9) price = view.getBigUint64(1, true);
  }
  limit ??= BigInt(instructions.length) * DEFAULT_COMPUTE_UNITS;
  const units = limit < MAX_COMPUTE_UNITS ? limit : MAX_COMPUTE_UNITS;
  return (price * units + MICROLAMPORTS - 1n) / MICROLAMPORTS;
}
