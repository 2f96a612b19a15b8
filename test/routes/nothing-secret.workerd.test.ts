/** Whatever is done with keys, and whatever fails: no secret is returned, logged, or sent to the database unsealed. */
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { type Answer, call, MASTER_KEY, settings } from '../support/api.ts';
import {
  addWallet,
  create,
  newClientWithBot,
  revoke,
  rotate,
  setUp,
  stored,
  tradingKey,
} from '../support/bots.ts';
import { emptyProject } from '../support/empty-project.ts';
import { newHostedProject } from '../support/hosted-sessions.ts';
import { type ClientPerson, newAdmin, newClient } from '../support/people.ts';
import { newEvmKey, newSolanaKey, repeats, type TestKey, textsOf } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

/** The parts of an envelope after its header, and the header itself. */
const ENVELOPE = /[\w-]{40,}\.[\w-]{16}\.[\w-]{40,}\.[\w-]{22}|eyJhbGciOiJBMjU2R0NN/;

const admin = await newAdmin();

interface Listener {
  readonly answers: Answer[];
  printed(): unknown[][];
  /** Responses with headers, and everything printed. */
  said(): string;
  /** Requests to the database: address, headers and body. */
  sent(): string;
}

function listen(): Listener {
  const printed = (['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => {}),
  );
  const calls = () => printed.flatMap(({ mock }) => mock.calls as unknown[][]);
  const requests = vi.spyOn(globalThis, 'fetch');
  const answers: Answer[] = [];
  const textOf = ([input, init]: Parameters<typeof fetch>) => [
    input instanceof Request ? input.url : String(input),
    [...new Headers(init?.headers)],
    String(init?.body ?? ''),
  ];
  return {
    answers,
    printed: calls,
    said: () =>
      JSON.stringify([answers.map(({ status, text, headers }) => [status, text, [...headers]]), calls()]),
    sent: () =>
      JSON.stringify(
        requests.mock.calls
          .map(textOf)
          .filter(([url]) => String(url).startsWith(`${inject('supabaseUrl')}/`)),
      ),
  };
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** Submits keys through every route that accepts one, and requests everything that concerns them. */
async function everyDoor(client: ClientPerson, keys: readonly TestKey[], answers: Answer[]): Promise<void> {
  const [first, second, third, fourth] = keys.map(({ privateKey, chain }) => ({
    private_key: privateKey,
    chain,
  }));
  const type = { bot_type: `${first?.chain}-grid` };
  const took = async (answer: Promise<Answer>) => {
    answers.push(await answer);
    return answer;
  };
  const bot = await took(create(admin, client, { ...type, wallets: [first] }));
  await took(addWallet(admin, bot.json.id, second ?? {}));
  await took(setUp(client, { ...type, ...third }));
  await took(tradingKey(client));
  await took(rotate(client, fourth ?? {}));
  await took(call(`GET /bots/${bot.json.id}`, { token: client.token }));
  await took(call(`GET /clients/${client.clientId}/bots`, { token: client.token }));
  await took(call('GET /ready', { env: await emptyProject() }));
  await took(revoke(client));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 200, 200, 200, 200, 200, 200]);
}

const FAMILIES: [string, () => TestKey][] = [
  ['EVM', newEvmKey],
  ['Solana', newSolanaKey],
];

describe.each(FAMILIES)('%s keys', (_, newKey) => {
  const keys = () => [newKey(), newKey(), newKey(), newKey()];

  it('through every route -> in no response, header or log line, and never in plaintext to the database', async () => {
    const client = await newClient();
    const used = keys();
    const listener = listen();
    await everyDoor(client, used, listener.answers);
    for (const text of used.flatMap(textsOf)) {
      expect(repeats(listener.said(), text)).toBe(false);
      expect(listener.sent().includes(text)).toBe(false);
    }
    expect(listener.sent()).toMatch(ENVELOPE);
    expect(listener.said()).not.toMatch(ENVELOPE);
    for (const secret of [
      client.token,
      admin.token,
      MASTER_KEY,
      inject('jwtSecret'),
      inject('publishableKey'),
    ]) {
      expect(listener.said()).not.toContain(secret);
    }
    expect(listener.sent()).not.toContain(MASTER_KEY);
    expect(listener.sent()).not.toContain(inject('jwtSecret'));
  });

  it('that are rejected -> in no response, header or log line', async () => {
    const [client, holder] = [
      await newClientWithBot({ key: newKey() }),
      await newClientWithBot({ key: newKey() }),
    ];
    const [key, other] = [newKey(), newKey()];
    const send = { private_key: key.privateKey };
    const type = { bot_type: `${key.chain}-grid` };
    const broken = await newHostedProject();
    await broken.set({ rest: { status: 500, type: 'text/html', body: 'x' } });
    const { ENCRYPTION_KEY: __, ...keyless } = settings();
    const about = `/clients/${client.clientId}/setup-bot`;

    const listener = listen();
    listener.answers.push(
      await setUp(client, { ...type, ...send, address: other.address }),
      await setUp(client, { ...type, ...send, chain: key.chain === 'evm' ? 'solana' : 'evm' }),
      await setUp(client, { bot_type: 'nothing', ...send }),
      await setUp(client, { bot_type: key.chain === 'evm' ? 'solana-grid' : 'evm-grid', ...send }),
      await setUp(client, { ...type, private_key: `${key.privateKey}${key.privateKey}` }),
      await setUp(client, { ...type, private_key: key.privateKey.slice(1) }),
      await setUp(client, { ...type, private_key: holder.key.privateKey }),
      await rotate(client, send, holder),
      await rotate(client, { ...send, extra: key.privateKey }),
      await rotate(client, { private_key: holder.key.privateKey }),
      await addWallet(client, client.botId, send),
      await addWallet(admin, crypto.randomUUID(), send),
      await create(client, client, { ...type, wallets: [send] }),
      await create(admin, client, { ...type, wallets: [send, send] }),
      await call(`POST ${about}`, { body: { ...type, ...send } }),
      await call(`POST ${about}`, { token: client.token, body: `${key.privateKey}` }),
      await call(`POST ${about}`, { token: client.token, body: { ...type, ...send }, env: keyless }),
      await call(`POST ${about}`, { token: client.token, body: { ...type, ...send }, env: {} }),
      await call(`POST ${about}`, {
        token: client.token,
        body: { ...type, ...send },
        env: { ...settings(), SUPABASE_URL: broken.settings.SUPABASE_URL ?? '' },
      }),
    );
    for (const { status } of listener.answers) expect(status).toBeGreaterThanOrEqual(400);
    for (const text of [...textsOf(key), ...textsOf(holder.key)])
      expect(repeats(listener.said(), text)).toBe(false);
    expect(listener.said()).not.toMatch(ENVELOPE);
    expect(listener.said()).not.toContain(client.token);
    expect((await stored(client)).trading?.address).toBe(client.key.address);
  });

  it('after an unexpected error -> 500, and the log has only the kind of error', async () => {
    const client = await newClient();
    const key = newKey();
    const listener = listen();
    vi.spyOn(crypto.subtle, 'encrypt').mockRejectedValue(new RangeError(`cannot seal ${key.privateKey}`));
    const answer = await setUp(client, { bot_type: `${key.chain}-grid`, private_key: key.privateKey });
    expectProblem(answer, 500, 'internal_error');
    listener.answers.push(answer);
    const lines = listener.printed().map(([line]) => JSON.parse(String(line)));
    const [unexpected, request] = lines.map((line) => ({ ...line, request_id: undefined }));
    expect(lines.map((line) => line.request_id)).toEqual([answer.json.request_id, answer.json.request_id]);
    expect(unexpected).toEqual({ level: 'error', event: 'unexpected_error', error: 'RangeError' });
    expect(request).toMatchObject({ level: 'error', event: 'request', status: 500, code: 'internal_error' });
    for (const text of textsOf(key)) expect(repeats(listener.said(), text)).toBe(false);
  });
});
