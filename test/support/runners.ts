/** Bots with machine tokens, and the requests that runners send. */
import { expect } from 'vitest';
import { type Answer, type Call, call } from './api.ts';
import { type ClientWithBot, newClientWithBot } from './bots.ts';
import type { Person } from './people.ts';
import type { TestKey } from './private-keys.ts';

export interface ClientWithRunner extends ClientWithBot {
  readonly tokenId: string;
  readonly machineToken: string;
}

/** A client with a trading key, one running bot, and a machine token for that bot. */
export async function newClientWithRunner(key?: TestKey): Promise<ClientWithRunner> {
  const client = await newClientWithBot(key);
  return { ...client, ...(await newMachineTokenFor(client, client.botId)) };
}

export async function newMachineTokenFor(person: Person, botId: string, body: object = {}) {
  const { status, json } = await issue(person, botId, body);
  expect(status).toBe(201);
  return { tokenId: json.id as string, machineToken: json.token as string };
}

export const issue = (person: Person, botId: string, body: object = {}): Promise<Answer> =>
  call(`POST /bots/${botId}/tokens`, { token: person.token, body: { name: 'A runner', ...body } });

export const setPolicy = (person: Person, botId: string, body: object): Promise<Answer> =>
  call(`PUT /bots/${botId}/policy`, { token: person.token, body });

export const sign = (
  { botId, machineToken }: { botId: string; machineToken: string },
  body: unknown,
  more: Call = {},
): Promise<Answer> => call(`POST /bots/${botId}/sign`, { token: machineToken, body, ...more });
