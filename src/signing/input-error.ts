const MESSAGES = {
  transaction_malformed: 'the transaction cannot be parsed, so it cannot be signed',
  typed_data_malformed: 'the typed data does not conform to EIP-712, so it cannot be signed',
  authorization_malformed: 'the authorization does not conform to EIP-7702',
  authorization_not_allowed: 'no policy can allow an authorization yet, so none is signed',
  typed_data_hash_malformed: 'the hashes do not conform to EIP-712',
  typed_data_hash_not_allowed:
    'no policy can allow hashes of typed data yet, so none are signed: send the typed data',
  message_malformed: 'the message must be a text, hex digits of whole bytes in raw (EVM), or base64 (Solana)',
  message_is_transaction: 'the message could be a transaction, so it is not signed as a message',
  message_too_long: 'the message must have at most 32 KiB',
} as const;

/** Every reason why a request to sign is rejected before the database is called. */
export type SigningInputReason = keyof typeof MESSAGES;

/**
 * The reason why a request to sign is rejected. `detail` is a fixed text. `field` contains names of the format, indexes, and
 * names of members that are made of letters. So the error contains no value of the request.
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
