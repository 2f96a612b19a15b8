import { UNKNOWN_RECIPIENT } from './signing.ts';
import type { SolanaInstruction, SolanaMessage } from './solana-transaction-message.ts';

const SYSTEM = '11111111111111111111111111111111';

/** Programs that cannot move coins of an account. */
const HARMLESS = [
  'ComputeBudget111111111111111111111111111111',
  'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr',
  'Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo',
];

interface Effects {
  readonly recipients: readonly string[];
  readonly value: bigint;
  readonly opaque: boolean;
}

interface MessageEffects extends Effects {
  /** Accounts that the System program creates and assigns to a program that the message names. */
  readonly created: readonly string[];
}

/**
 * The effects of a message that a policy checks. The recipients are every called program, and every account that the System
 * program pays or gives authority to. The value is the sum of lamports that the System program moves, from any account.
 *
 * The message is `opaque` if another program gets a writable signer: it can call the System program and move the coins of
 * this account. It is also opaque if it has an instruction of the System program that is not known here.
 */
export function evaluateInstructions(message: SolanaMessage): MessageEffects {
  const parts = message.instructions.map((instruction) =>
    instruction.program === SYSTEM
      ? evaluateSystem(instruction, message)
      : { recipients: [], value: 0n, opaque: canSpend(instruction, message) },
  );
  const recipients = parts.flatMap((part, i) => [message.instructions[i]?.program ?? '', ...part.recipients]);
  return {
    recipients: [...new Set(recipients)],
    value: parts.reduce((sum, { value }) => sum + value, 0n),
    opaque: parts.some(({ opaque }) => opaque),
    created: message.instructions.flatMap((instruction) => createdBy(instruction, message)),
  };
}

/** The new account of CreateAccount signs too, and gets another owner. For a wallet this has the effect of Assign. */
function createdBy({ program, accounts, data }: SolanaInstruction, { keys }: SolanaMessage): string[] {
  const isCreateAccount =
    program === SYSTEM && data.length >= 4 && data.subarray(0, 4).every((byte) => byte === 0);
  return isCreateAccount ? [keys[accounts[1] ?? -1] ?? UNKNOWN_RECIPIENT] : [];
}

function canSpend({ program, accounts }: SolanaInstruction, { writableSigners }: SolanaMessage): boolean {
  return !HARMLESS.includes(program) && accounts.some((account) => account < writableSigners);
}

const UNKNOWN: Effects = { recipients: [UNKNOWN_RECIPIENT], value: 0n, opaque: true };

/** The data begins with the number of the instruction (bincode of `SystemInstruction`). */
function evaluateSystem({ accounts, data }: SolanaInstruction, { keys }: SolanaMessage): Effects {
  if (data.length < 4) return UNKNOWN;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const pays = (place: number, offset: number): Effects => {
    const account = accounts[place];
    if (account === undefined || offset + 8 > data.length) return UNKNOWN;
    const value = view.getBigUint64(offset, true);
    return { recipients: [keys[account] ?? UNKNOWN_RECIPIENT], value, opaque: false };
  };
  switch (view.getUint32(0, true)) {
    case 0: // CreateAccount {lamports, space, owner}: payer, new account
    case 2: // Transfer {lamports}: payer, payee
    case 5: // WithdrawNonceAccount {lamports}: nonce account, payee
      return pays(1, 4);
    case 3: {
      // CreateAccountWithSeed {base, seed, lamports, space, owner}: payer, new account
      if (data.length < 44) return UNKNOWN;
      const seedBytes = view.getBigUint64(36, true);
      return seedBytes <= 32n ? pays(1, 44 + Number(seedBytes)) : UNKNOWN;
    }
    case 11: // TransferWithSeed {lamports, seed, owner}: payer, base, payee
      return pays(2, 4);
    case 4: // AdvanceNonceAccount
    case 12: // UpgradeNonceAccount
      return { recipients: [], value: 0n, opaque: false };
    default:
      // For example Assign, which gives the account and its coins to another program.
      return UNKNOWN;
  }
}
