/** Clients with a running bot and a machine token, created through the SDK on the bundled Worker. */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { createClient, type RotateRequest, type TradingKeysClient } from '../../src/sdk/client.ts';
import { newClient } from '../support/people.ts';
import { recordKeysOf, recordText } from '../support/recorder.ts';
import { type RunningWorker, startWorker } from '../support/worker.ts';

export function startApi(): Promise<RunningWorker> {
  return startWorker({
    SUPABASE_URL: inject('supabaseUrl'),
    SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
    EDGE_TOKEN: inject('edgeToken'),
    SUPABASE_JWT_SECRET: inject('jwtSecret'),
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  });
}

export async function stopApi({ harness }: RunningWorker): Promise<void> {
  for (const line of harness.getLogs()) recordText(JSON.stringify(line));
  await harness.close();
}

export interface Trader {
  readonly clientId: string;
  readonly botId: string;
  readonly address: string;
  /** Calls with the client's own session: rotate, revoke, set policies. */
  readonly owner: TradingKeysClient;
  /** The credential of the bot's program: a machine token. */
  readonly runner: TradingKeysClient;
}

export async function newTrader(url: URL, key: RotateRequest, botType: string): Promise<Trader> {
  const { clientId, token } = await newClient();
  const owner = createClient({ url, token, fetch: recorded });
  const bot = await owner.clients.setupBot(clientId, { bot_type: botType, ...key });
  const issued = await owner.bots.issueToken(bot.id, { name: 'The bot' });
  return {
    clientId,
    botId: bot.id,
    address: bot.wallets[0]?.address ?? '',
    owner,
    runner: createClient({ url, token: issued.token ?? '', fetch: recorded }),
  };
}

/** Records requests and responses for the leak scan at the end of the run. */
const recorded: typeof fetch = async (input, init) => {
  if (typeof init?.body === 'string') recordKeysOf(JSON.parse(init.body));
  const response = await fetch(input, init);
  recordText(JSON.stringify([...response.headers]));
  recordText(await response.clone().text());
  return response;
};
