import type { ProblemTexts } from './problem-text.ts';

/** Requests to sign: what the policy of the bot denies, and what cannot be signed. */
export const SIGNING_PROBLEMS = {
  policy_chain_denied: [
    403,
    'The policy of the bot does not allow this EVM chain',
    'Use a chain that is listed in chain_ids of GET /bots/{id}/policy, or change the policy.',
  ],
  policy_kind_denied: [
    403,
    'The policy of the bot does not allow this kind of signature',
    'See kinds of GET /bots/{id}/policy. If kinds is null and recipients, max_value or max_value_24h is set, only transactions are allowed. With any of these limits, solana.message is rejected even if kinds lists it.',
  ],
  policy_recipient_denied: [
    403,
    'The policy of the bot does not allow this recipient',
    'Every account that receives value and every contract or program that is called must be listed in recipients of GET /bots/{id}/policy.',
  ],
  policy_value_24h_exceeded: [
    403,
    'With this transaction, the bot would exceed the limit of its policy for 24 hours',
    'See max_value_24h of GET /bots/{id}/policy. The value of each transaction that was allowed while this limit was set counts for 24 hours, even if the transaction was never sent. A value that cannot be determined exceeds every limit. On Solana, add every program that the transaction calls to recipients: otherwise its value cannot be determined.',
  ],
  policy_value_exceeded: [
    403,
    'The value of the transaction exceeds the limit of the policy for one transaction',
    'See max_value of GET /bots/{id}/policy. A value that cannot be determined exceeds every limit. On Solana, add every program that the transaction calls to recipients: otherwise its value cannot be determined.',
  ],
  bot_key_missing: [
    409,
    'The bot has no key',
    'Add a wallet by POST /bots/{id}/wallets (admins), or set up a new bot by POST /clients/{id}/setup-bot. If the trading key was revoked, send a private_key.',
  ],
  bot_not_running: [
    409,
    'The bot is stopped',
    'Start it by POST /bots/{id}/start. A stopped bot signs nothing.',
  ],
  wallet_key_changed: [
    409,
    'The key of the wallet was replaced since the first request with this Idempotency-Key',
    'If you still want the signature, send the request with a new Idempotency-Key.',
  ],
  wallet_ambiguous: [
    409,
    'The bot has several wallets, and the request names none of them',
    'Send the field wallet with the id or the address of a wallet.',
  ],
  message_malformed: [
    422,
    'The message cannot be signed',
    'Send message as a string, or as bytes: {"raw": "0x…"} with an even number of hex digits for evm.message, {"base64": "…"} for solana.message. See errors for the reason.',
  ],
  message_is_transaction: [
    422,
    'The message could be a transaction',
    'Send a transaction as solana.transaction. Put other bytes into the off-chain message format of Solana, or let them begin with an ASCII character.',
  ],
  message_too_long: [422, 'The message is too long', 'A message has at most 32 KiB.'],
  transaction_malformed: [
    422,
    'The transaction cannot be signed',
    'See errors: each entry names a field of the transaction and what is wrong with it.',
  ],
  typed_data_malformed: [
    422,
    'The typed data cannot be signed',
    'Send typed data as for eth_signTypedData_v4 (EIP-712). See errors for the field and the reason.',
  ],
  wallet_not_signer: [
    422,
    'The wallet is not a signer of this transaction or message',
    'Send the id or address of the signing wallet in the field wallet, or change the transaction: from (EVM) or a signer (Solana, also of an off-chain message) must be the address of the wallet.',
  ],
  key_decryption_failed: [
    503,
    'The stored key cannot be decrypted, or it does not match the address of the wallet',
    'Nothing was signed. Operator: put the master key of this envelope back into ENCRYPTION_KEY. If it is there, the row of the key was changed in the database. If the policy of the bot sets quarantine_after, the bot was stopped: start it again.',
  ],
} as const satisfies ProblemTexts;
