/** The operator's own view of `ENCRYPTION_KEY`. It comes from the environment or by standard input, never as an argument. */
import { text } from 'node:stream/consumers';
import { KeyringError, parseKeyring } from '../../src/crypto/keyring.ts';

/** `undefined` where neither has it. */
export async function keySetting(): Promise<string | undefined> {
  if (process.env.ENCRYPTION_KEY !== undefined) return process.env.ENCRYPTION_KEY;
  return process.stdin.isTTY ? undefined : text(process.stdin);
}

export interface Fault {
  /** Counted from 1; `undefined` where it is the list as a whole. */
  readonly entry: number | undefined;
  readonly reason: KeyringError['reason'];
}

/** What is wrong with a list of master keys, entry by entry. Nothing of an entry is repeated. */
export async function faultsOf(setting: string | undefined): Promise<Fault[]> {
  const faults: Fault[] = [];
  const entries = setting === undefined || setting.trim() === '' ? [] : setting.split(',');
  for (const [index, entry] of entries.entries()) {
    const reason = await reasonOf(entry);
    // An empty entry between commas is no missing list.
    if (reason) faults.push({ entry: index + 1, reason: reason === 'missing' ? 'malformed' : reason });
  }
  const whole = faults.length === 0 ? await reasonOf(setting) : undefined;
  return whole ? [{ entry: undefined, reason: whole }] : faults;
}

async function reasonOf(setting: string | undefined): Promise<KeyringError['reason'] | undefined> {
  try {
    await parseKeyring(setting);
    return undefined;
  } catch (error) {
    if (error instanceof KeyringError) return error.reason;
    throw error;
  }
}
