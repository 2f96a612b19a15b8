import { client, page } from './examples.ts';
import { operations } from './reference.ts';

export const clients = operations({
  createClient: {
    tag: 'Clients',
    summary: 'Create a client (admin)',
    description:
      'The client is linked to the account that confirms its e-mail address. Until then nobody but an admin can act for it.',
    problems: ['admin_required', 'email_taken', 'account_not_found'],
    request: { name: 'Alice', email: 'alice@example.test' },
    responses: { 201: { description: 'The new client.', example: { ...client, linked: false } } },
  },
  listClients: {
    tag: 'Clients',
    summary: 'List clients, newest first',
    description: 'An admin gets every client. Any other account gets the client that it is linked to.',
    problems: [],
    responses: { 200: { description: 'A page of clients.', example: page(client) } },
  },
  getOwnClient: {
    tag: 'Clients',
    summary: "Get the client that the caller's account is linked to",
    problems: ['account_not_linked'],
    responses: { 200: { description: 'The client.', example: client } },
  },
  getClient: {
    tag: 'Clients',
    summary: 'Get a client',
    problems: [],
    responses: { 200: { description: 'The client.', example: client } },
  },
});
