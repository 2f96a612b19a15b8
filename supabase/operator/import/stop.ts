import postgres from 'postgres';
import { KeyringError } from '../../../src/crypto/keyring.ts';
import { MappingError } from './mapping.ts';
import { DumpError } from './tables.ts';

/** What stops an import before or between clients, in words of our own. */
export class Stop extends Error {
  override readonly name = 'Stop';
}

/** Why an import stopped. Errors of libraries may quote what they were given, so of those only the kind is told. */
export function reasonOf(error: unknown): string {
  const isOurs = [Stop, DumpError, MappingError, KeyringError].some((kind) => error instanceof kind);
  if (isOurs) return (error as Error).message;
  if (error instanceof postgres.PostgresError) return `A database refused: SQLSTATE ${error.code}.`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^[A-Z_]{1,40}$/.test(code)
    ? `A file or a database cannot be reached: ${code}.`
    : 'The import stopped for no reason that is known.';
}
