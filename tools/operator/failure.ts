/** Messages of failed operator commands. Errors of libraries may quote their input, so only their codes are printed. */
import postgres from 'postgres';
import { AuditKeyError } from '../../src/crypto/audit-key.ts';
import { KeyringError } from '../../src/crypto/keyring.ts';

/** A failure with a message of this project. These messages never contain a secret. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}

/** An error in options or arguments. The command also prints its usage. */
export class UsageError extends OperatorError {
  override readonly name = 'UsageError';
}

const OURS = [OperatorError, KeyringError, AuditKeyError];

const UNTRUSTED =
  'The certificate of the database is not signed by a CA that this machine trusts. Name the CA by sslrootcert in the URL or by PGSSLROOTCERT. Supabase publishes its CA in the database settings of the project.';

/** Codes of OpenSSL and Node for connections that could not be encrypted or verified. */
const TLS_FAILURES: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate of the database was issued for another host name.',
  CERT_HAS_EXPIRED: 'The certificate of the database has expired.',
};

export function messageOf(error: unknown): string {
  if (OURS.some((kind) => error instanceof kind)) return (error as Error).message;
  if (error instanceof postgres.PostgresError) return messageOfDatabase(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    TLS_FAILURES[code] ??
    (/^[A-Z_]{1,40}$/.test(code)
      ? `A file or a database cannot be reached: ${code}.`
      : 'The command failed for an unknown reason.')
  );
}

function messageOfDatabase(error: postgres.PostgresError): string {
  if (error.code.startsWith('28')) return 'The database rejected the user name or the password.';
  // Messages that the functions of this project raise contain no values.
  const reason = error.code.startsWith('PT') ? `: ${error.message}` : '.';
  const place = [
    error.table_name && `table ${error.table_name}`,
    error.constraint_name && `constraint "${error.constraint_name}"`,
  ];
  return (
    ['The database rejected a statement', `SQLSTATE ${error.code}`, ...place].filter(Boolean).join(', ') +
    reason
  );
}
