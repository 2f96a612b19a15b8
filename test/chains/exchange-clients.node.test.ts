/**
 * The clients of two exchanges get an account of this package where they take a local one. What they would send to the
 * exchange is the same, byte for byte.
 */
import { ExchangeClient, type IRequestTransport } from '@nktkas/hyperliquid';
import type { AbstractWallet } from '@nktkas/hyperliquid/signing';
import { Chain, ClobClient, type ClobSigner, Side } from '@polymarket/clob-client';
import { Wallet } from 'ethers';
import { createWalletClient, custom } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { TradingKeysSigner } from '../../src/sdk/ethers.ts';
import { toTradingKeysAccount } from '../../src/sdk/viem.ts';
import { json, startStandIn } from '../sdk/stand-in.ts';
import { newTrader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';

const privateKey = generatePrivateKey();
const NOW = Date.UTC(2026, 10, 27);
let api: RunningWorker;
let account: ReturnType<typeof toTradingKeysAccount>;
let signer: TradingKeysSigner;

beforeAll(async () => {
  api = await startApi();
  const { runner, botId, address } = await newTrader(api.url, { private_key: privateKey }, 'evm-grid');
  account = toTradingKeysAccount({ client: runner, botId, address });
  signer = new TradingKeysSigner({ client: runner, botId, address });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
afterAll(() => stopApi(api));

describe('@nktkas/hyperliquid', () => {
  const ACTIONS: Record<string, (exchange: ExchangeClient) => Promise<unknown>> = {
    'an order, which is an L1 action': (exchange) =>
      exchange.order({
        orders: [{ a: 0, b: true, p: '30000', s: '0.1', r: false, t: { limit: { tif: 'Gtc' } } }],
        grouping: 'na',
      }),
    'a cancellation, which is an L1 action': (exchange) => exchange.cancel({ cancels: [{ a: 0, o: 12345 }] }),
    'a transfer, which is a user-signed action': (exchange) =>
      exchange.usdSend({ destination: `0x${'ab'.repeat(20)}`, amount: '1.5' }),
    'an agent, which is a user-signed action': (exchange) =>
      exchange.approveAgent({ agentAddress: `0x${'cd'.repeat(20)}`, agentName: 'Agent' }),
  };

  /** What the client sends to the exchange. */
  async function sentBy(wallet: AbstractWallet, act: (exchange: ExchangeClient) => Promise<unknown>) {
    const sent: unknown[] = [];
    const transport: IRequestTransport = {
      isTestnet: true,
      async request<T>(_endpoint: string, payload: unknown) {
        sent.push(payload);
        return { status: 'ok', response: { type: 'default', data: { statuses: ['success'] } } } as T;
      },
    };
    await act(new ExchangeClient({ transport, wallet, nonceManager: () => NOW }));
    return sent;
  }

  test.each(Object.entries(ACTIONS))('%s', async (_name, act) => {
    const local = await sentBy(privateKeyToAccount(privateKey), act);
    expect(local).toEqual([expect.objectContaining({ nonce: NOW, signature: expect.anything() })]);
    expect(await sentBy(account, act)).toEqual(local);
    expect(await sentBy(new Wallet(privateKey), act)).toEqual(local);
    expect(await sentBy(signer, act)).toEqual(local);
  });
});

describe('@polymarket/clob-client', () => {
  const transport = custom({ request: () => Promise.reject(new Error('No node is needed.')) });
  const viemWallet = (of: typeof account | ReturnType<typeof privateKeyToAccount>) =>
    createWalletClient({ account: of, transport });
  const order = { tokenID: '71321045679252212594626385532706912750332728571942532289631379312455583992563' };

  /** An order and the headers that authenticate, both as the client sends them. */
  async function sentBy(by: ClobSigner, negRisk: boolean) {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    vi.spyOn(Math, 'random').mockReturnValue(0.25);
    const exchange = await startStandIn(json({ apiKey: 'key', secret: 'secret', passphrase: 'phrase' }));
    const client = new ClobClient(exchange.url, Chain.POLYGON, by);
    const signed = await client.orderBuilder.buildOrder(
      { ...order, price: 0.53, size: 21.04, side: Side.BUY, feeRateBps: 0 },
      { tickSize: '0.01', negRisk },
    );
    await client.createApiKey(7);
    await exchange.close();
    const headers = Object.entries(exchange.asked[0]?.headers ?? {});
    return { signed, headers: headers.filter(([name]) => name.startsWith('poly_')) };
  }

  test.each([false, true])('an order with negRisk %s, and the headers of its API key', async (negRisk) => {
    const local = await sentBy(viemWallet(privateKeyToAccount(privateKey)), negRisk);
    expect(local).toMatchObject({ signed: { signature: expect.stringMatching(/^0x[0-9a-f]{130}$/) } });
    expect(local.headers.map(([name]) => name).sort()).toEqual([
      'poly_address',
      'poly_nonce',
      'poly_signature',
      'poly_timestamp',
    ]);
    expect(await sentBy(viemWallet(account), negRisk)).toEqual(local);
    // The client knows a signer of ethers only by a name of ethers 5.
    expect(await sentBy(signer, negRisk)).toEqual(local);
  });
});
