/** Prints what a restore did, and what the operator must do next. */
import { plain, print } from '../command.ts';
import type { EndedByLists } from './end-keys.ts';
import type { EndedKeys } from './ended-keys.ts';
import type { Manifest } from './format.ts';
import type { Loaded } from './load-backup.ts';

/** The result of `private.after_restore()`. */
export interface AfterRestore {
  readonly bots_stopped: number;
  readonly tokens_ended: number;
  readonly clients_unlinked: number;
  readonly admins_without_account: number;
  readonly admins: readonly string[];
  readonly clients_with_key: number;
  readonly last_key_event: string | null;
}

export interface Report {
  readonly manifest: Manifest;
  readonly lists: readonly EndedKeys[];
  readonly loaded: Loaded;
  readonly ended: EndedByLists;
  readonly after: AfterRestore;
}

export function printRestored({ manifest, lists, loaded, ended, after }: Report): void {
  const newest = lists
    .map(({ created_at }) => created_at)
    .toSorted()
    .at(-1);
  print(
    `Restored ${counted(loaded.rows, 'row')} of ${counted(manifest.tables.length, 'table')}, as of ${manifest.created_at}.`,
  );
  print(`Newest event in the backup: ${after.last_key_event ?? 'none'}.`);
  print();
  if (newest !== undefined) printEnded(ended, newest);
  print(
    `${counted(after.bots_stopped, 'bot')} that ran in the backup: stopped. Each needs an explicit start.`,
  );
  print(`${counted(after.tokens_ended, 'machine token')}: expired. Runners and cron jobs need new ones.`);
  if (loaded.tokensReplaced > 0) {
    print(
      `${counted(loaded.tokensReplaced, 'machine token')} that this database had before: removed. Issue new ones.`,
    );
  }
  if (after.clients_unlinked > 0)
    print(`${counted(after.clients_unlinked, 'client')} without its account: unlinked.`);
  if (after.admins_without_account > 0) {
    print(`${counted(after.admins_without_account, 'admin')} without an account: removed.`);
  }
  print(`${counted(after.clients_with_key, 'client')} with a trading key.`);
  print(
    `Admins: ${after.admins.map(plain).join(', ') || 'none'}. Remove accounts that are no longer admins.`,
  );
  print();
  const known = newest !== undefined && newest > manifest.created_at ? newest : manifest.created_at;
  print(`These files do not contain keys that ended after ${known}. Such keys are valid again.`);
  print(
    'Before you start a bot, find the clients that rotated or revoked after that time, and revoke their keys: see docs/how-to/back-up-and-restore.md.',
  );
}

function printEnded({ recorded, clients, ownKeys }: EndedByLists, newest: string): void {
  print(
    `The newest list of ended keys is of ${newest}. ${counted(recorded, 'key id')} in the lists ended after the backup.`,
  );
  print(
    `${counted(clients.length, 'trading key')} of the backup had ended: removed, with every key of the wallets.`,
  );
  for (const client of clients) print(`  client ${client}`);
  if (ownKeys > 0) print(`${counted(ownKeys, 'own key')} of wallets had ended: removed.`);
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
