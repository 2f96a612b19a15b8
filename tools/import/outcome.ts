/** The outcome of the import for each row of the old database. */
import type { KeyInputReason } from '../../src/keys/index.ts';
import type { FernetReason } from './fernet.ts';
import type { OldTable } from './mapping.ts';

/** Reasons why a row is not imported that need no action. */
export const LEFT = {
  empty: 'the wallet held no key',
  inactive: 'the key had ended in the old database',
  revoked_here: 'the client has revoked a key here, so old keys are not imported',
  rotated_here: 'the client has rotated its key here, so old keys are not imported',
} as const;

/** Reasons that need a decision or a fix. The code that reads tokens, keys and addresses has further reasons. */
export const REFUSED = {
  address_missing: 'the row has no address with which to check the key',
  address_taken: 'another client holds a key for this address',
  another_key_here: 'the client has another key here, which was not imported',
  bot_missing: 'its bot is not in the old database',
  bot_refused: 'its bot was not imported',
  bot_type_unknown: 'the bot type does not exist here: map it with --bot-type-map',
  chain_mismatch: 'the bot and the key belong to different chain families',
  changed_in_source:
    'the key in the old database has changed since it was imported: rotate the key here instead',
  client_missing: 'its client is not in the old database',
  client_refused: 'its client was not imported',
  email_malformed: 'the e-mail address of the client is malformed',
  email_taken: 'another client of the old database has this e-mail address',
  ended_in_source: 'the key has ended in the old database since it was imported: revoke or rotate it here',
  id_malformed: 'its id is neither an integer nor a UUID',
  id_twice: 'another row of the table has the same id',
  no_trading_key:
    'its client has no trading key, possibly because it was revoked: to import the key anyway, use --keys-from-wallets',
  trading_key_refused: 'the trading key of its client was not imported',
  trading_key_twice: 'its client has several trading keys',
  wallet_exists: 'the bot already has a wallet with this address',
  wallet_limit_reached: 'the bot or the client has the maximum number of wallets',
} as const;

export type LeftReason = keyof typeof LEFT;
export type RefusedReason = keyof typeof REFUSED | FernetReason | KeyInputReason;

export type Outcome = { readonly table: OldTable; readonly id: string } & (
  | { readonly as: 'taken' | 'there' }
  | { readonly as: 'left'; readonly reason: LeftReason }
  | { readonly as: 'refused'; readonly reason: RefusedReason }
);

/** How a row is named in the output: by its table and id. */
export interface RowName {
  readonly table: OldTable;
  readonly id: string;
}

export const taken = ({ table, id }: RowName): Outcome => ({ table, id, as: 'taken' });
export const there = ({ table, id }: RowName): Outcome => ({ table, id, as: 'there' });
export const left = ({ table, id }: RowName, reason: LeftReason): Outcome => ({
  table,
  id,
  as: 'left',
  reason,
});
export const refused = ({ table, id }: RowName, reason: RefusedReason): Outcome => ({
  table,
  id,
  as: 'refused',
  reason,
});
