/** Bots with machine tokens, and the requests that runners send. */
import { expect } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import { type Answer, type Call, call } from './api.ts';
import { type ClientOptions, type ClientWithBot, newClientWithBot } from './bots.ts';
import type { Person } from './people.ts';

export interface ClientWithRunner extends ClientWithBot {
  readonly tokenId: string;
  readonly machineToken: string;
}

/** A client with a trading key, one running bot, and a machine token for that bot. */
export async function newClientWithRunner(options: ClientOptions = {}): Promise<ClientWithRunner> {
  const client = await newClientWithBot(options);
  return { ...client, ...(await newMachineTokenFor(client, client.botId, {}, options.at?.settings)) };
}

export async function newMachineTokenFor(
  person: Person,
  botId: string,
  body: object = {},
  env?: Bindings,
): Promise<{ tokenId: string; machineToken: string }> {
  const { status, json } = await issue(person, botId, body, env);
  expect(status).toBe(201);
  return { tokenId: json.id, machineToken: json.token };
}

export const issue = (person: Person, botId: string, body: object = {}, env?: Bindings): Promise<Answer> =>
  call(`POST /bots/${botId}/tokens`, {
    token: person.token,
    body: { name: 'A runner', ...body },
    ...(env && { env }),
  });

export const setPolicy = (person: Person, botId: string, body: object): Promise<Answer> =>
  call(`PUT /bots/${botId}/policy`, { token: person.token, body });

export const sign = (
  { botId, machineToken }: { botId: string; machineToken: string },
  body: unknown,
  more: Call = {},
): Promise<Answer> => call(`POST /bots/${botId}/sign`, { token: machineToken, body, ...more });
