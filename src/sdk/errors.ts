/** What calls throw. None of these holds a token, a key or a body, whatever went wrong. */
import type { ProblemCode, ProblemPart } from './openapi.ts';

export type { ProblemCode, ProblemPart };

/** The API answered that it will not, or cannot (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** Which problem: a code of the API, or `unexpected_answer` where something else answered in its place. */
  readonly code: ProblemCode | 'unexpected_answer' | (string & {});
  readonly status: number;
  /** What the operator finds the request by. */
  readonly requestId: string | undefined;
  /** Where the request does not fit its schema. */
  readonly errors: readonly ProblemPart[];
  /** How long the API asks to wait before trying again. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    problem: Pick<ApiProblem, 'code' | 'status' | 'requestId' | 'errors' | 'retryAfterMs'>,
  ) {
    super(message);
    this.code = problem.code;
    this.status = problem.status;
    this.requestId = problem.requestId;
    this.errors = problem.errors;
    this.retryAfterMs = problem.retryAfterMs;
  }
}

/** There was no answer, so it is not known whether the call was carried out. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code: 'timeout' | 'unreachable';

  constructor(message: string, code: NoAnswer['code']) {
    super(message);
    this.code = code;
  }
}

/** A signature that was not asked for, or not given: nothing was handed on. */
export class SigningError extends Error {
  override readonly name = 'SigningError';
  /**
   * - `address_changed`: the wallet has another key now. Create the account or signer again.
   * - `signature_mismatch`: the response does not sign the request.
   * - `unsupported_transaction`: the chain has a format of its own, which the API does not sign.
   * - `unsupported_authorization`: the API signs no EIP-7702 authorizations.
   */
  readonly code:
    | 'address_changed'
    | 'signature_mismatch'
    | 'unsupported_transaction'
    | 'unsupported_authorization';

  constructor(message: string, code: SigningError['code']) {
    super(message);
    this.code = code;
  }
}

/** The problem behind an error: libraries such as viem wrap what an account throws. */
export function findProblem(error: unknown): ApiProblem | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 20; at = at.cause, depth++) {
    if (at instanceof ApiProblem) return at;
  }
  return undefined;
}
