/** Writes `docs/reference/events.md`. It does not compile if an event of `src/contract/audit.ts` is missing here. */
import { KEY_EVENTS } from '../../../src/contract/audit.ts';
import { code, heading, table } from './markdown.ts';

type Event = (typeof KEY_EVENTS)[number];

const EVENTS: Readonly<Record<Event, string>> = {
  key_added: 'A client got a trading key: its first one, or the first one after a revocation.',
  key_rotated: 'Another private key replaced the trading key.',
  key_rewrapped: 'The same private key was sealed again with a newer master key.',
  key_revoked: 'The trading key was deleted, with every copy.',
  key_released:
    'The database released a key for a signature. `detail` has the kind, the SHA-256 digest of what is signed, and the id of the machine token; `replayed` is true for a repeated request.',
  wallet_added: 'A bot got a wallet with a key.',
  wallet_changed:
    'A wallet was changed by SQL, not by a change of the trading key. `detail` has the new address and key id.',
  wallet_removed: 'A wallet was removed.',
  bot_created: 'A bot was created. `detail` has its type.',
  bot_changed: 'The name, config, type or client of a bot changed. `detail` lists which of them.',
  bot_started: 'A bot was started.',
  bot_stopped: 'A bot was stopped. `detail` has the reason.',
  bot_quarantined: 'A bot was stopped after too many failures to sign. `detail` has the last problem code.',
  bot_removed: 'A bot was removed.',
  token_issued: 'A machine token signs for these bots from now on.',
  token_changed: 'A machine token was changed, for example its expiry. `detail` lists what.',
  token_first_used: 'A machine token was used for the first time.',
  token_revoked: 'A machine token does not sign for these bots any more.',
  policy_set: 'A policy was set. `detail` has the new policy, or its hash if it is long.',
  policy_removed: 'A policy was removed.',
  refused:
    'The API rejected a request of a known caller. `detail` has the problem code and the pattern of the route.',
  client_created: 'A client was created.',
  client_changed: 'The name or e-mail of a client changed. `detail` lists which, never the values.',
  client_removed: 'A client was removed.',
  account_linked: 'An account acts for the client from now on. `by_confirmation`: by its first confirmation.',
  account_unlinked: 'An account does not act for the client any more.',
  factor_reset: 'The operator removed the second factors of an account and ended its sessions.',
  admin_added: 'An account became an admin.',
  admin_removed: 'An account is no longer an admin.',
  settings_changed: 'A row of `private.settings` or `private.monitor_settings` changed.',
  bot_type_added: 'A bot type was added.',
  bot_type_changed: 'A bot type was changed.',
  bot_type_removed: 'A bot type was removed.',
  restored: 'A backup was restored into this database.',
};

const ACTORS = [
  ['client', 'a session of the client'],
  ['admin', 'a session of an admin'],
  ['runner', 'a machine token'],
  ['operator', 'SQL of the operator, a cron job, or an operator command'],
  ['auth', 'Supabase Auth, for example when it links an account'],
] as const;

export const eventsPage = (): string => `${heading('Events', '`tools/generate/reference/events.ts`')}
\`GET /clients/{id}/key-events\` returns the audit chain of a client, and \`GET /events\` the chain of the deployment (admins only). The
last events of the list below (admins, settings, bot types, restores), and the operator's tokens, belong to the chain of the
deployment. No event holds free text, a name, an e-mail address or a URL. [How the chain works](../explanation/audit-chain.md),
[how to verify it](../how-to/verify-the-audit-chain.md).

## What happened

${table(
  ['event', 'meaning'],
  KEY_EVENTS.map((event) => [code(event), EVENTS[event]]),
)}

## Who did it

${table(
  ['actor', 'meaning'],
  ACTORS.map(([actor, meaning]) => [code(actor), meaning]),
)}

## How many

A client's chain has at most 60 events a minute of bots, policies, names, and of uses and ends of tokens, and at most 20 rejected requests. All other
events are always recorded. \`omitted\` counts the events that were not recorded. [All limits](limits.md#events).
`;
