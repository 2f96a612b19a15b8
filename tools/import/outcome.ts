/** What became of each row of the old database. */
import type { KeyInputReason } from '../../src/keys/index.ts';
import type { FernetReason } from './fernet.ts';
import type { OldTable } from './mapping.ts';

/** In order as it is, and to be left alone. */
export const LEFT = {
  empty: 'the wallet held no key',
  inactive: 'the key was ended in the old database',
  revoked_here: 'the client has had a key revoked here: nothing old comes back',
  rotated_here: 'the client has rotated its key here: nothing old comes back',
} as const;

/** Wants a decision or a repair. Reasons of tokens, keys and addresses are those of the code that reads them. */
export const REFUSED = {
  address_missing: 'there is no address to check the key against',
  address_taken: 'another client holds a key for this address',
  another_key_here: 'the client has another key here, which it did not get from this import',
  bot_missing: 'its bot is not in the old database',
  bot_refused: 'its bot was not taken',
  bot_type_unknown: 'there is no such bot type: say which by --bot-type-map',
  chain_mismatch: 'the bot trades on another chain family than the key',
  changed_in_source: 'the old database holds another key than was imported: rotate here instead',
  client_missing: 'its client is not in the old database',
  client_refused: 'its client was not taken',
  email_malformed: 'the client has no e-mail that could be one',
  email_taken: 'another client of the old database has this e-mail',
  ended_in_source: 'the old database has ended this key since it was imported: revoke or rotate it here',
  id_malformed: 'its id is no integer and no UUID',
  id_twice: 'the old database has this id twice',
  no_trading_key:
    'its client has no trading key, which may have been revoked: --keys-from-wallets takes it all the same',
  trading_key_refused: 'the trading key of its client was not taken',
  trading_key_twice: 'its client has several trading keys',
  wallet_exists: 'the bot has a wallet with this address',
  wallet_limit_reached: 'the bot has as many wallets as a bot can have',
} as const;

export type LeftReason = keyof typeof LEFT;
export type RefusedReason = keyof typeof REFUSED | FernetReason | KeyInputReason;

export type Outcome = { readonly table: OldTable; readonly id: string } & (
  | { readonly as: 'taken' | 'there' }
  | { readonly as: 'left'; readonly reason: LeftReason }
  | { readonly as: 'refused'; readonly reason: RefusedReason }
);

/** A row as it is named to people: by its table and id. */
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
