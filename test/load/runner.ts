/** Runners of a household, concurrent with its owner, who changes everything. Each response is judged by both ledgers. */
import { recoverMessageAddress, recoverTransactionAddress } from 'viem';
import { CAP, type Household, type LoadBot, type LoadToken } from './household.ts';
import { chance, pick } from './world.ts';

export async function runOnce(household: Household): Promise<void> {
  if (household.tokens.length === 0) return;
  const token = pick(household.tokens);
  const bots = household.bots.filter(({ id }) => token.botIds.includes(id));
  const bot = pick(bots);
  const dice = Math.random();
  if (dice < 0.1) return beat(household, token, bot);
  if (dice < 0.2) return list(household, token, bots);
  return sign(household, token, bot);
}

const RECIPIENT = '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf';

async function sign({ world }: Household, { token, valid }: LoadToken, bot: LoadBot): Promise<void> {
  const message = chance(0.5) ? crypto.randomUUID() : undefined;
  const value = pick([0, CAP, CAP + 1, CAP + 1]);
  const transaction = {
    chainId: '0x1',
    nonce: '0x0',
    to: RECIPIENT,
    value: String(value),
    gas: '21000',
    maxFeePerGas: '1000000000',
    maxPriorityFeePerGas: '1',
  };
  const answer = await world.api.call('POST /bots/{id}/sign', {
    id: bot.id,
    token,
    body: message === undefined ? { type: 'evm.transaction', transaction } : { type: 'evm.message', message },
  });
  const { status, code, json } = answer;
  const tokens = valid.during(answer);
  const running = bot.running.during(answer);
  const keys = bot.key.during(answer);
  const policies = bot.policy.during(answer);
  const over = message === undefined && value > CAP;
  if (status === 200) {
    const signer =
      message === undefined
        ? await recoverTransactionAddress({ serializedTransaction: json.signed_transaction })
        : await recoverMessageAddress({ message, signature: json.signature });
    const may = tokens.includes(true) && running.includes(true) && (!over || policies.includes('none'));
    world.judge.expect(answer, may, 'token, bot or policy did not allow it at that time');
    world.judge.expect(answer, keys.includes(json.address), 'that key was rotated or revoked at that time');
    world.judge.expect(answer, signer === json.address, 'another key signed');
    world.signatures += 1;
    return;
  }
  const reasons: Record<string, boolean> = {
    token_invalid: tokens.includes(false),
    bot_not_running: running.includes(false),
    bot_key_missing: keys.includes(null),
    policy_value_exceeded: over && policies.includes('capped'),
  };
  world.judge.expect(answer, reasons[code ?? ''] === true, 'nothing forbade it');
}

async function beat({ world }: Household, { token, valid }: LoadToken, bot: LoadBot): Promise<void> {
  const body = { status: 'ok', metrics: { open_orders: 3 } };
  const answer = await world.api.call('POST /bots/{id}/heartbeat', { id: bot.id, token, body });
  const tokens = valid.during(answer);
  const running = answer.json?.bot_status === 'running';
  const right =
    answer.status === 200
      ? tokens.includes(true) && bot.running.during(answer).includes(running)
      : answer.code === 'token_invalid' && tokens.includes(false);
  world.judge.expect(answer, right, 'the bot has another state');
}

async function list({ world }: Household, { token, valid }: LoadToken, bots: LoadBot[]): Promise<void> {
  const answer = await world.api.call('GET /runner/bots', { token });
  const tokens = valid.during(answer);
  if (answer.status !== 200) {
    world.judge.expect(
      answer,
      answer.code === 'token_invalid' && tokens.includes(false),
      'the token is good',
    );
    return;
  }
  const listed: string[] = answer.json.items.map(({ id }: { id: string }) => id);
  const right = bots.every((bot) => bot.running.during(answer).includes(listed.includes(bot.id)));
  world.judge.expect(answer, tokens.includes(true) && right, 'other bots run');
}
