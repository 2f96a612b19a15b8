import type { ProblemTexts } from './problem-text.ts';

/** Clients, bots, wallets and machine tokens: permissions, limits and the current state. */
export const RESOURCE_PROBLEMS = {
  admin_required: [403, 'Only an admin may do this', 'Use the session of an admin.'],
  permission_denied: [
    403,
    'The database does not permit this to the account',
    'Use the session of the client that owns the resource, or of an admin.',
  ],
  account_not_linked: [
    404,
    'The account of this session is not linked to a client',
    'Client: ask an admin to link the account. Admin: use GET /clients and GET /clients/{id}, because an admin account has no client of its own.',
  ],
  security_contact_missing: [
    404,
    'This deployment names no contact for vulnerabilities',
    'Operator: set SECURITY_CONTACT to a mailto: or https: URI.',
  ],
  resource_not_found: [
    404,
    'The resource does not exist or belongs to another client',
    'Check the ids in the path and in the body. Machine token: check that it signs for this bot.',
  ],
  bot_limit_reached: [
    409,
    'The client has reached its limit of bots',
    'A client has at most 1,000 bots. Use an existing bot.',
  ],
  email_taken: [
    409,
    'Another client has this e-mail address',
    'Use another e-mail address, or use the existing client.',
  ],
  token_limit_reached: [
    409,
    'The bot or the client has reached its limit of machine tokens',
    'A bot has at most 50 machine tokens and a client 1,000. A token signs for at most 100 bots. Revoke tokens that are no longer used.',
  ],
  value_not_unique: [
    409,
    'A value that must be unique is already in use',
    'Use another value. If a client already has a trading key, replace it by PUT /clients/{id}/rotate-key.',
  ],
  wallet_exists: [
    409,
    'The bot already has a wallet with this address',
    'Use the existing wallet: a bot has one wallet for each address.',
  ],
  wallet_limit_reached: [
    409,
    'The bot or the client has reached its limit of wallets',
    'A bot has at most 100 wallets and a client 10,000. Use an existing wallet.',
  ],
  account_not_found: [
    422,
    'No account meets the conditions of link_account',
    'The account must have the e-mail address of the client, have confirmed it, not be managed by a single sign-on provider, and not be linked to another client. If there is no such account, send the request without link_account and invite the client.',
  ],
  bot_type_unknown: [
    422,
    'The bot type does not exist',
    'Use an id of bot_types of GET /clients/{id}/bot-options.',
  ],
} as const satisfies ProblemTexts;
