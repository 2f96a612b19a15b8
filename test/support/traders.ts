/** Clients with a running bot and a machine token, created through the SDK. */
import { createClient, type RotateRequest, type TradingKeysClient } from '../../src/sdk/client.ts';
import { newClient } from './people.ts';
import { recordKeysOf, recordText } from './recorder.ts';

export interface Trader {
  readonly clientId: string;
  readonly botId: string;
  readonly address: string;
  /** Calls with the client's own session: rotate, revoke, set policies. */
  readonly owner: TradingKeysClient;
  /** The credential of the bot's program: a machine token. */
  readonly token: string;
  /** Calls with the machine token. */
  readonly runner: TradingKeysClient;
}

/** @param send sends the requests to the Worker; the default is over the network */
export async function newTrader(
  url: string | URL,
  key: RotateRequest,
  botType: string,
  send: typeof fetch = fetch,
): Promise<Trader> {
  const { clientId, token } = await newClient();
  const recorded = recording(send);
  const owner = createClient({ url, token, fetch: recorded });
  const bot = await owner.clients.setupBot(clientId, { bot_type: botType, ...key });
  const { token: machineToken = '' } = await owner.bots.issueToken(bot.id, { name: 'The bot' });
  return {
    clientId,
    botId: bot.id,
    address: bot.wallets[0]?.address ?? '',
    owner,
    token: machineToken,
    runner: createClient({ url, token: machineToken, fetch: recorded }),
  };
}

/** Records requests and responses for the leak scan at the end of the run. */
const recording =
  (send: typeof fetch): typeof fetch =>
  async (input, init) => {
    if (typeof init?.body === 'string') recordKeysOf(JSON.parse(init.body));
    const response = await send(input, init);
    recordText(JSON.stringify([...response.headers]));
    recordText(await response.clone().text());
    return response;
  };
