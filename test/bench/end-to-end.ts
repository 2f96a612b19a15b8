/** The Worker in front of the embedded stack, compared with the same calls directly at the stack's REST API. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { sealKey } from '../../src/services/sealing.ts';
import type { Stack } from '../../tools/stack/stack.ts';
import { sealedWallet } from '../database/actions.ts';
import { buildBundle } from './bundle.ts';
import { ratios, type Summary, sideBySide, summaryOf } from './measure.ts';
import { number, type Section, times } from './report.ts';
import { newEvmKey } from './samples.ts';
import { Sessions } from './sessions.ts';
import { Workerd } from './workerd.ts';

const RUNNERS = 16;
const REVOCATIONS = 10;

export interface Home {
  readonly clientId: string;
  readonly botId: string;
  readonly token: string;
  readonly machineToken: string;
}

/** The production bundle in plain workerd, in front of this stack. */
export function startService(stack: Stack, encryptionKey: string): Promise<Workerd> {
  return Workerd.start(
    buildBundle().code,
    {
      SUPABASE_URL: stack.supabaseUrl,
      SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
      EDGE_TOKEN: stack.edgeToken,
      SUPABASE_JWT_SECRET: stack.jwtSecret,
      ENCRYPTION_KEY: encryptionKey,
    },
    '/health',
  );
}

export async function endToEnd(stack: Stack, { rounds }: { readonly rounds: number }): Promise<Section> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 2);
  const encryptionKey = randomBytes(32).toString('base64');
  const worker = await startService(stack, encryptionKey);
  try {
    const newHome = () => settle(sessions, stack, encryptionKey);
    const calls = await callRows(worker, stack, await newHome(), rounds);
    const revocation = await revocationRow(worker, newHome);
    return {
      tables: [
        {
          title: 'End to end',
          note: 'Milliseconds a request, one after the other, through the Worker and directly at the REST API of the embedded stack. That API is much slower than PostgREST, so the ratio makes the Worker look better than it is.',
          columns: ['request', 'Worker', 'REST API', 'ratio'],
          rows: calls,
        },
        {
          title: 'From revocation to the last signature',
          note: `${RUNNERS} runners sign continuously through the Worker while the client revokes its key, ${REVOCATIONS} times. "After" is the time from the response to the revocation until the last signature arrived; a negative time means that the signature arrived first.`,
          columns: ['', 'ms'],
          rows: [
            ['a revocation under load', revocation.took],
            ['last signature after the revocation was sent', revocation.sinceSent],
            ['last signature after its response', revocation.sinceAnswer],
            ['signatures before each', revocation.signatures],
          ],
        },
      ],
      verdicts: [
        {
          target: 'no signature is returned for a request that was sent after the response to a revocation',
          measured: `${revocation.late} were`,
          met: revocation.late === 0,
        },
      ],
    };
  } finally {
    await worker.stop();
    await sessions.end();
  }
}

/** A client with one running bot whose key the Worker can open. */
export async function settle({ owner }: Sessions, stack: Stack, encryptionKey: string): Promise<Home> {
  const keyring = await parseKeyring(encryptionKey);
  const [account] = await owner<[{ id: string; email: string }]>`
    insert into auth.users (id, aud, role, email, email_confirmed_at)
    values (gen_random_uuid(), 'authenticated', 'authenticated', gen_random_uuid() || '@bench.test', now())
    returning id, email`;
  const [client] = await owner<[{ id: string }]>`
    insert into public.clients (name, email, user_id) values ('A client', ${account.email}, ${account.id})
    returning id`;
  const wallet = await sealKey({ private_key: newEvmKey() }, client.id, async () => keyring);
  await owner`insert into public.trading_keys ${owner({ client_id: client.id, ...wallet })}`;
  const [bot] = await owner<[{ id: string }]>`
    insert into public.bots (client_id, bot_type, name) values (${client.id}, 'evm-grid', 'A bot') returning id`;
  await owner`insert into public.bot_wallets (bot_id, client_id, address, chain)
    values (${bot.id}, ${client.id}, ${wallet.address}, 'evm')`;
  await owner`update public.bots set status = 'running' where id = ${bot.id}`;
  const machineToken = newMachineToken();
  const [token] = await owner<[{ id: string }]>`
    insert into public.machine_tokens (client_id, name, token_hash)
    values (${client.id}, 'A runner', decode(${hashOfMachineToken(machineToken)}, 'hex')) returning id`;
  await owner`insert into public.machine_token_bots values (${token.id}, ${bot.id}, ${client.id})`;
  return {
    clientId: client.id,
    botId: bot.id,
    machineToken,
    token: await new SignJWT({ sub: account.id, role: 'authenticated', aud: 'authenticated' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt()
      .setExpirationTime('6h')
      .sign(new TextEncoder().encode(stack.jwtSecret)),
  };
}

async function callRows(worker: Workerd, stack: Stack, home: Home, rounds: number) {
  const { clientId, botId, token, machineToken } = home;
  const headers = (bearer: string) => ({
    authorization: `Bearer ${bearer}`,
    'content-type': 'application/json',
  });
  const through = async (method: string, path: string, bearer: string, body?: object) => {
    const status = await worker.request({
      method,
      path,
      headers: headers(bearer),
      ...(body && { body: JSON.stringify(body) }),
    });
    if (status >= 300) throw new Error(`${method} ${path} returned ${status}`);
  };
  const straight = async (name: string, bearer: string, args: object) => {
    const answer = await fetch(`${stack.supabaseUrl}/rest/v1/rpc/${name}`, {
      method: 'POST',
      headers: { ...headers(bearer), apikey: stack.publishableKey },
      body: JSON.stringify(args),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${name} returned ${answer.status}`);
  };
  const claim = { kind: 'evm.message', chain_id: null, recipients: [], value: '0', digest: 'ab'.repeat(32) };
  const requests = {
    'GET /bots/{id}': [
      () => through('GET', `/bots/${botId}`, token),
      () => straight('get_bot', token, { bot_id: botId }),
    ],
    'POST /bots/{id}/sign': [
      () => through('POST', `/bots/${botId}/sign`, machineToken, { type: 'evm.message', message: 'x' }),
      () =>
        straight('check_out_key', stack.publishableKey, {
          token_hash: hashOfMachineToken(machineToken),
          bot_id: botId,
          signing: claim,
        }),
    ],
    // Last, because this call stores an envelope that the Worker cannot open.
    'PUT /clients/{id}/rotate-key': [
      () => through('PUT', `/clients/${clientId}/rotate-key`, token, { private_key: newEvmKey() }),
      () => straight('rotate_key', token, { client_id: clientId, ...sealedWallet(clientId) }),
    ],
  } as const;
  const rows: (string | Summary)[][] = [];
  for (const [name, [worker, rest]] of Object.entries(requests)) {
    const series = await sideBySide({ worker: { run: worker }, rest: { run: rest } }, { rounds, runs: 10 });
    rows.push([
      name,
      summaryOf(series.worker),
      summaryOf(series.rest),
      times(ratios(series.worker, series.rest)),
    ]);
  }
  return rows;
}

async function revocationRow(worker: Workerd, newHome: () => Promise<Home>) {
  const took: number[] = [];
  const sinceSent: number[] = [];
  const sinceAnswer: number[] = [];
  const signatures: number[] = [];
  let late = 0;
  for (let n = 0; n < REVOCATIONS; n++) {
    const { clientId, botId, token, machineToken } = await newHome();
    const given: { asked: number; answered: number }[] = [];
    let over = false;
    const runners = Array.from({ length: RUNNERS }, async () => {
      while (!over) {
        const asked = performance.now();
        const status = await worker.request({
          method: 'POST',
          path: `/bots/${botId}/sign`,
          headers: { authorization: `Bearer ${machineToken}`, 'content-type': 'application/json' },
          body: JSON.stringify({ type: 'evm.message', message: 'x' }),
        });
        if (status === 200) given.push({ asked, answered: performance.now() });
        else await sleep(1);
      }
    });
    await sleep(1_000);
    const sent = performance.now();
    const status = await worker.request({
      method: 'DELETE',
      path: `/clients/${clientId}/revoke-key`,
      headers: { authorization: `Bearer ${token}` },
    });
    const answered = performance.now();
    await sleep(300);
    over = true;
    await Promise.all(runners);
    if (status !== 200) throw new Error(`The revocation returned ${status}`);
    const last = Math.max(...given.map((one) => one.answered));
    took.push(answered - sent);
    sinceSent.push(last - sent);
    sinceAnswer.push(last - answered);
    signatures.push(given.length);
    late += given.filter((one) => one.asked > answered).length;
  }
  return {
    took: summaryOf(took),
    sinceSent: summaryOf(sinceSent),
    sinceAnswer: summaryOf(sinceAnswer),
    signatures: `${number(summaryOf(signatures).median)}`,
    late,
  };
}
