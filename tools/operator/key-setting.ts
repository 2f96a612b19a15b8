/** Reads `ENCRYPTION_KEY` for operator commands: from the environment or from standard input, never from an argument. */
import { text } from 'node:stream/consumers';
import { KeyringError, parseKeyring } from '../../src/crypto/keyring.ts';

/** Returns `undefined` if the key is in neither. */
export async function keySetting(): Promise<string | undefined> {
  if (process.env.ENCRYPTION_KEY !== undefined) return process.env.ENCRYPTION_KEY;
  return process.stdin.isTTY ? undefined : text(process.stdin);
}

export interface Fault {
  /** The number of the entry, counted from 1. `undefined` if the fault is in the list as a whole. */
  readonly entry: number | undefined;
  readonly reason: KeyringError['reason'];
}

/** The faults of a list of master keys, entry by entry. They contain no part of an entry. */
export async function faultsOf(setting: string | undefined): Promise<Fault[]> {
  const faults: Fault[] = [];
  const entries = setting === undefined || setting.trim() === '' ? [] : setting.split(',');
  for (const [index, entry] of entries.entries()) {
    const reason = await reasonOf(entry);
    // An empty entry between commas is malformed. Only an empty list counts as missing.
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
