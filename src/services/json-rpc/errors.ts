import { Problem, type ProblemCode, type ProblemPart } from '../../problem.ts';

/** The error member of a response. */
export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** An error of a node, which is passed on. */
export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly object: ErrorObject;

  constructor(object: ErrorObject) {
    super('the node returned an error');
    this.object = object;
  }
}

/** A signed transaction of which the node did not say whether it has it. */
export class Unconfirmed extends Problem {
  readonly transaction: { readonly transaction_hash: string; readonly raw: string };

  constructor(transaction: Unconfirmed['transaction']) {
    super('rpc_transaction_unconfirmed');
    this.transaction = transaction;
  }
}

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
/** EIP-1474. */
const RESOURCE_UNAVAILABLE = -32002;
const TRANSACTION_REJECTED = -32003;
const METHOD_NOT_SUPPORTED = -32004;
const LIMIT_EXCEEDED = -32005;
/** EIP-1193. */
const USER_REJECTED = 4001;
const UNAUTHORIZED = 4100;

const CODES: Readonly<Partial<Record<ProblemCode, number>>> = {
  json_malformed: PARSE_ERROR,
  rpc_request_invalid: INVALID_REQUEST,
  rpc_batch_too_large: INVALID_REQUEST,
  idempotency_key_reused: INVALID_REQUEST,
  rpc_method_unknown: METHOD_NOT_FOUND,
  rpc_node_missing: METHOD_NOT_SUPPORTED,
  rpc_fee_cap_exceeded: TRANSACTION_REJECTED,
  wallet_ambiguous: INVALID_PARAMS,
  chain_mismatch: INVALID_PARAMS,
  wallet_not_signer: UNAUTHORIZED,
  rate_limited: LIMIT_EXCEEDED,
  // Not -32603: clients repeat a request after an internal error, and this transaction may be sent already.
  rpc_transaction_unconfirmed: RESOURCE_UNAVAILABLE,
};

/** By the problem itself, or else by its HTTP status. A policy decides in the place of the user that EIP-1193 has in mind. */
function codeOf({ code, status }: Problem): number {
  const own = CODES[code];
  if (own !== undefined) return own;
  if (code.startsWith('policy_')) return USER_REJECTED;
  if (status >= 500) return INTERNAL_ERROR;
  return [401, 403, 404, 409].includes(status) ? UNAUTHORIZED : INVALID_PARAMS;
}

export function errorOf(error: Problem | NodeError, requestId: string): ErrorObject {
  if (error instanceof NodeError) return error.object;
  const { code, title, remedy, errors } = error;
  return {
    code: codeOf(error),
    message: title,
    data: {
      code,
      title,
      detail: remedy,
      request_id: requestId,
      ...(errors.length > 0 && { errors }),
      ...(error instanceof Unconfirmed && error.transaction),
    },
  };
}

/** A parameter that is not valid: `params/0`. */
export function invalidParams(pointer: string, detail: string): Problem {
  const part: ProblemPart = { pointer: `/params${pointer}`, code: 'rpc_params_invalid', detail };
  return new Problem('rpc_params_invalid', [part]);
}
