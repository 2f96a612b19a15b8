import type { ProblemTexts } from './problem-text.ts';

/** Only in `data` of the errors of POST /bots/{id}/rpc, whose HTTP status is 200. */
export const JSON_RPC_PROBLEMS = {
  rpc_request_invalid: [
    400,
    'This is not a request of JSON-RPC 2.0',
    'Send an object with "jsonrpc": "2.0", a method and an array of params, or an array of 1 to 20 such objects. An id is a text or a number of at most 36 characters, or null.',
  ],
  rpc_batch_too_large: [400, 'The batch has too many requests', 'Send at most 20 requests in a batch.'],
  rpc_method_unknown: [
    404,
    'The method is not supported',
    'The page docs/reference/json-rpc.md lists the methods. Names are case-sensitive. Subscriptions, filters and the methods of debug_, admin_ and personal_ other than personal_sign are not supported, and eth_sendRawTransaction is sent to a node directly.',
  ],
  rpc_params_invalid: [
    422,
    'The params of the method are not valid',
    'See errors: each entry names a parameter and what is wrong with it.',
  ],
  rpc_chain_unknown: [
    422,
    'It is not known which EVM chain is meant',
    'Add ?chain_id= to the URL. It is not needed if the policy of the bot allows exactly one chain, or if RPC_URLS has exactly one.',
  ],
  rpc_chain_mismatch: [
    422,
    'The transaction is for another chain than the URL names',
    'Use the chainId of the transaction in ?chain_id=, or leave one of them out.',
  ],
  rpc_fees_required: [
    422,
    'The transaction has no fees, and the operator has set no fee cap for this chain',
    'Send maxFeePerGas and maxPriorityFeePerGas, or gasPrice. Operator: RPC_FEE_CAPS lets this service fill in fees up to a cap.',
  ],
  rpc_fee_cap_exceeded: [
    422,
    'The fees of the chain are higher than the fee cap that the operator has set',
    'Wait until the fees are lower, or send maxFeePerGas and maxPriorityFeePerGas, or gasPrice. Operator: the cap is in RPC_FEE_CAPS.',
  ],
  rpc_node_missing: [
    422,
    'The operator has configured no node for this chain',
    'Send this method to a node of the chain directly. Signatures do not need one. Operator: add the chain to RPC_URLS.',
  ],
  rpc_node_unavailable: [
    503,
    'The node of this chain does not respond',
    'Try again. Operator: if it persists, check the URL of this chain in RPC_URLS, and its quota.',
  ],
  rpc_node_response_invalid: [
    503,
    'The response of the node of this chain is not valid, or too large',
    'A response has at most 1 MiB: request a smaller range of blocks. Operator: if it persists, check that the URL of this chain in RPC_URLS is a JSON-RPC endpoint that does not redirect.',
  ],
  rpc_transaction_unconfirmed: [
    503,
    'The transaction was signed, but the node did not confirm that it has it',
    'It may be in the pool of the node. Look up transaction_hash, or send raw to a node: sending it twice is safe. If the request had an Idempotency-Key, repeat it with the same key.',
  ],
  rpc_settings_malformed: [
    503,
    'RPC_URLS or RPC_FEE_CAPS is malformed',
    'Operator: RPC_URLS must be a JSON object of chain ids and https URLs without a user and a password, or a list such as "1=https://…,8453=https://…". RPC_FEE_CAPS has the same form with wei for each unit of gas. Signing works without them.',
  ],
} as const satisfies ProblemTexts;
