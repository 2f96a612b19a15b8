/** Keys, tokens, requests to sign and real responses of the database, as input for the edge. */
import { randomBytes } from 'node:crypto';
import { base58 } from '@scure/base';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { MAX_VERIFIED_TOKENS } from '../../src/auth/verified-tokens.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { sealKey } from '../../src/services/sealing.ts';
import type { SigningRequest } from '../../src/signing/index.ts';
import type { Stack } from '../../tools/stack/stack.ts';
import type { Sessions } from './sessions.ts';
import type { Samples } from './workers/operations.ts';

export interface EdgeSamples {
  readonly encryptionKey: string;
  readonly machineToken: string;
  readonly clientId: string;
  readonly botId: string;
  readonly userId: string;
  readonly jwks: string;
  readonly operations: Samples;
  /** By function, as JSON. */
  readonly answers: Readonly<Record<string, string>>;
}

/** `supabaseUrl` is the project's URL in the Worker's settings; tokens name it as their issuer. */
export async function edgeSamples(
  sessions: Sessions,
  { jwtSecret, edgeToken }: Pick<Stack, 'jwtSecret' | 'edgeToken'>,
  supabaseUrl: string,
): Promise<EdgeSamples> {
  const encryptionKey = randomBytes(32).toString('base64');
  const keyring = await parseKeyring(encryptionKey);
  const client = await newClient(sessions);
  const keys = { evm: newEvmKey(), solana: newSolanaKey() };
  const sealed = {
    evm: await sealKey({ private_key: keys.evm }, client.id, async () => keyring),
    solana: await sealKey({ private_key: keys.solana, chain: 'solana' }, client.id, async () => keyring),
  };

  const machineToken = newMachineToken();
  const asClient = (name: string, ...args: unknown[]) => answerOf(sessions, client.userId, name, args);
  const asRunner = (name: string, ...args: unknown[]) =>
    answerOf(sessions, undefined, name, [machineToken, ...args]);
  const answers: Record<string, string> = {};
  answers.setup_bot = await asClient('setup_bot', edgeToken, client.id, 'evm-grid', 'A bot', {}, sealed.evm);
  const botId = (JSON.parse(answers.setup_bot) as { id: string }).id;
  const hash = hashOfMachineToken(machineToken);
  answers.issue_token = await asClient('issue_token', botId, [], 'A runner', hash);
  answers.get_own_client = await asClient('get_own_client');
  answers.get_client = await asClient('get_client', client.id);
  answers.get_trading_key = await asClient('get_trading_key', client.id);
  answers.list_bot_options = await asClient('list_bot_options', client.id);
  answers.get_bot = await asClient('get_bot', botId);
  answers.list_bots = await asClient('list_bots', client.id, 50);
  answers.get_policy = await asClient('get_policy', botId);
  answers.list_runner_bots = await asRunner('list_runner_bots');
  answers.record_heartbeat = await asRunner('record_heartbeat', botId, 'ok');
  const claim = { kind: 'evm.message', chain_id: null, recipients: [], value: '0', digest: 'ab'.repeat(32) };
  answers['check_out_key evm'] = await answerOf(sessions, undefined, 'check_out_key', [
    edgeToken,
    machineToken,
    botId,
    claim,
  ]);
  answers['check_out_key solana'] = JSON.stringify({ client_id: client.id, ...sealed.solana });
  const next = await sealKey({ private_key: newEvmKey() }, client.id, async () => keyring);
  const { address, chain, key_id, encrypted_key } = next;
  answers.rotate_key = await asClient(
    'rotate_key',
    edgeToken,
    client.id,
    address,
    chain,
    key_id,
    encrypted_key,
  );
  answers.revoke_key_at_edge = await asClient('revoke_key_at_edge', edgeToken, client.id);

  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' };
  const token = (n: number) =>
    new SignJWT({
      sub: client.userId,
      role: 'authenticated',
      aud: 'authenticated',
      iss: `${supabaseUrl}/auth/v1`,
      jti: `${n}`,
    })
      .setIssuedAt()
      .setExpirationTime('6h');
  const tokens = (header: JWTHeaderParameters, key: CryptoKey | Uint8Array) =>
    Promise.all(
      Array.from({ length: MAX_VERIFIED_TOKENS + 1 }, (_, n) =>
        token(n).setProtectedHeader(header).sign(key),
      ),
    );
  return {
    encryptionKey,
    machineToken,
    clientId: client.id,
    botId,
    userId: client.userId,
    jwks: JSON.stringify({ keys: [jwk] }),
    answers,
    operations: {
      hs256: await tokens({ alg: 'HS256', typ: 'JWT' }, new TextEncoder().encode(jwtSecret)),
      es256: await tokens({ alg: 'ES256', typ: 'JWT', kid: 'bench' }, privateKey),
      es256_key: jwk,
      wallets: {
        evm: { secret: keys.evm, address: sealed.evm.address },
        solana: {
          secret: Buffer.from(base58.decode(keys.solana)).subarray(0, 32).toString('hex'),
          address: sealed.solana.address,
        },
      },
      requests: signingRequests(sealed.solana.address),
    },
  };
}

async function newClient({ owner }: Sessions) {
  const [account] = await owner<[{ id: string; email: string }]>`
    insert into auth.users (id, aud, role, email, email_confirmed_at)
    values (gen_random_uuid(), 'authenticated', 'authenticated', gen_random_uuid() || '@bench.test', now())
    returning id, email`;
  const [client] = await owner<[{ id: string }]>`
    insert into public.clients (name, email, user_id) values ('A client', ${account.email}, ${account.id})
    returning id`;
  return { id: client.id, userId: account.id };
}

async function answerOf(
  { owner }: Sessions,
  userId: string | undefined,
  name: string,
  args: readonly unknown[],
): Promise<string> {
  const role = userId === undefined ? 'anon' : 'authenticated';
  const claims = JSON.stringify({ role, ...(userId !== undefined && { sub: userId }) });
  return owner.begin(async (sql) => {
    await sql`select set_config('role', ${role}, true), set_config('request.jwt.claims', ${claims}, true),
      set_config('request.jwt.claim.sub', ${userId ?? ''}, true)`;
    const places = args.map((_, index) => `$${index + 1}`);
    const [row] = await sql.unsafe(`select public.${name}(${places.join(', ')}) as answer`, args as never[]);
    return JSON.stringify(row?.answer);
  });
}

export const newEvmKey = () => randomBytes(32).toString('hex');
/** A seed without its public key. */
export const newSolanaKey = () => base58.encode(randomBytes(32));

function signingRequests(solanaAddress: string): Record<string, SigningRequest> {
  const to = '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf';
  return {
    'evm.message': { type: 'evm.message', message: 'A message of the usual length, to sign in somewhere.' },
    'evm.transaction': {
      type: 'evm.transaction',
      transaction: {
        chainId: '0x1',
        nonce: '0x0',
        to,
        value: '0x1',
        gas: '0x5208',
        maxFeePerGas: '0x3b9aca00',
        maxPriorityFeePerGas: '0x1',
      },
    },
    'evm.typed_data': {
      type: 'evm.typed_data',
      typed_data: {
        domain: { name: 'Bench', version: '1', chainId: 1, verifyingContract: to },
        types: {
          EIP712Domain: [
            { name: 'name', type: 'string' },
            { name: 'version', type: 'string' },
            { name: 'chainId', type: 'uint256' },
            { name: 'verifyingContract', type: 'address' },
          ],
          Order: [
            { name: 'maker', type: 'address' },
            { name: 'amount', type: 'uint256' },
            { name: 'expiry', type: 'uint64' },
          ],
        },
        primaryType: 'Order',
        message: { maker: to, amount: '1000000', expiry: '1800000000' },
      },
    },
    'solana.transaction': { type: 'solana.transaction', message: transfer(solanaAddress) },
  };
}

/** A legacy message that pays one lamport: header, three accounts, blockhash, one instruction. */
function transfer(from: string): string {
  const bytes = [
    Buffer.from([1, 0, 1, 3]),
    Buffer.from(base58.decode(from)),
    randomBytes(32),
    Buffer.alloc(32),
    randomBytes(32),
    Buffer.from([1, 2, 2, 0, 1, 12, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
  ];
  return Buffer.concat(bytes).toString('base64');
}
