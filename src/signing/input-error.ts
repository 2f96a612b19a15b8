const MESSAGES = {
  transaction_malformed: 'not a transaction that can be signed',
  typed_data_malformed: 'not typed data that can be signed (EIP-712)',
  message_malformed: 'not a message that can be signed',
  message_too_long: 'the message is too long',
} as const;

/** The closed set of what can be wrong with something that somebody wants signed. */
export type SigningInputReason = keyof typeof MESSAGES;

/**
 * What is wrong with a thing to sign, in words for who sent it. `detail` is a fixed text of ours, and `field` a
 * name of the format's own or an index: nothing of the input is repeated.
 */
export class SigningInputError extends Error {
  override readonly name = 'SigningInputError';
  readonly reason: SigningInputReason;
  /** Below the thing to sign: `maxFeePerGas`, `accessList/0/address`; empty for the whole. */
  readonly field: string;
  readonly detail: string;

  constructor(reason: SigningInputReason, field = '', detail: string = MESSAGES[reason]) {
    super(MESSAGES[reason]);
    this.reason = reason;
    this.field = field;
    this.detail = detail;
  }
}
