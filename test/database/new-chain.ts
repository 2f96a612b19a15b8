/** An audit chain for tests that change it. */
import { expect } from 'vitest';
import { verifyChain } from '../../src/sdk/audit.ts';
import { asAuditClient } from '../support/audit.ts';
import type { Client } from '../support/rows.ts';
import * as act from './actions.ts';
import type { Sessions } from './sessions.ts';
import { Signers } from './signers.ts';

/** A client whose chain has every kind of event, and no checkpoint. */
export async function newChain(sessions: Sessions): Promise<Client> {
  const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 2, tokens: 1 });
  const signers = new Signers(2);
  const [bot = '', token] = [bots[0], tokens[0]];
  if (!token) throw new TypeError('no token');
  for (let i = 0; i < 3; i++) expect(await signers.checkOut(token, bot)).toBe('ok');
  expect(await sessions.race([act.rotateKey(client)])).toEqual(['ok']);
  for (let i = 0; i < 3; i++) expect(await signers.checkOut(token, bot)).toBe('ok');
  await signers.end();
  expect(await sessions.race([act.stopBot(bot, client.userId)])).toEqual(['ok']);
  // The first reader chains the events that are queued.
  await verifyChain(asAuditClient(sessions.sql, client), client.clientId);
  return client;
}
