const MESSAGES = {
  transaction_malformed: 'the transaction cannot be parsed, so it cannot be signed',
  typed_data_malformed: 'the typed data does not conform to EIP-712, so it cannot be signed',
  message_malformed: 'the message must be a text, hex digits of whole bytes in raw (EVM), or base64 (Solana)',
  message_is_transaction: 'the message could be a transaction, so it is not signed as a message',
  message_too_long: 'the message must have at most 32 KiB',
} as const;

/** Every reason why a request to sign is rejected before the database is called. */
export type SigningInputReason = keyof typeof MESSAGES;

/**
 * The reason why a request to sign is rejected. `detail` is a fixed text, and `field` contains only names of the format and
 * indexes. So the error contains no value of the request.
 */
export class SigningInputError extends Error {
  override readonly name = 'SigningInputError';
  readonly reason: SigningInputReason;
  /** The path inside the transaction, typed data or message: `accessList/0/address`. Empty for the whole. */
  readonly field: string;
  readonly detail: string;

  constructor(reason: SigningInputReason, field = '', detail: string = MESSAGES[reason]) {
    super(MESSAGES[reason]);
    this.reason = reason;
    this.field = field;
    this.detail = detail;
  }
}
