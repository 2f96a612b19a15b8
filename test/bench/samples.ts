/** Keys, tokens, requests to sign and real responses of the database, as input for the edge. */
import { randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { base58 } from '@scure/base';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { MAX_VERIFIED_TOKENS } from '../../src/auth/verified-tokens.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { asJson, type Functions } from '../../src/database/call.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { sealKey } from '../../src/services/sealing.ts';
import type { SigningRequest } from '../../src/signing/index.ts';
import type { OwnStack } from '../support/own-stack.ts';
import { Rows } from '../support/rows.ts';
import { CLAIM } from './database-calls.ts';
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
  { jwtSecret, edgeToken }: Pick<OwnStack, 'jwtSecret' | 'edgeToken'>,
  supabaseUrl: string,
): Promise<EdgeSamples> {
  const encryptionKey = randomBytes(32).toString('base64');
  const keyring = await parseKeyring(encryptionKey);
  const { clientId, userId } = await new Rows(sessions.owner).newClient();
  const keys = { evm: newEvmKey(), solana: newSolanaKey() };
  const sealed = {
    evm: await sealKey({ private_key: keys.evm }, clientId, async () => keyring),
    solana: await sealKey({ private_key: keys.solana, chain: 'solana' }, clientId, async () => keyring),
  };

  const machineToken = newMachineToken();
  const answers: Record<string, string> = {};
  const record = async <Name extends keyof Functions & string>(
    user: string | undefined,
    name: Name,
    args: Functions[Name]['Args'],
    as: string = name,
  ) => {
    answers[as] = JSON.stringify(await sessions.call(user, name, args));
  };
  const edge = { edge_token: edgeToken };
  const runner = { token: machineToken };
  await record(userId, 'setup_bot', {
    ...edge,
    client_id: clientId,
    bot_type: 'evm-grid',
    name: 'A bot',
    config: {},
    wallet: asJson(sealed.evm),
  });
  const botId = (JSON.parse(answers.setup_bot ?? '') as { id: string }).id;
  await record(userId, 'issue_token', {
    bot_id: botId,
    other_bot_ids: [],
    name: 'A runner',
    token_hash: hashOfMachineToken(machineToken),
  });
  await record(userId, 'get_own_client', {});
  await record(userId, 'get_client', { client_id: clientId });
  await record(userId, 'get_trading_key', { client_id: clientId });
  await record(userId, 'list_bot_options', { client_id: clientId });
  await record(userId, 'get_bot', { bot_id: botId });
  await record(userId, 'list_bots', { client_id: clientId, page_size: 50 });
  await record(userId, 'get_policy', { bot_id: botId });
  await record(undefined, 'list_runner_bots', runner);
  await record(undefined, 'record_heartbeat', { ...runner, bot_id: botId, status: 'ok' });
  const checkOut = { ...edge, ...runner, bot_id: botId, signing: asJson(CLAIM) };
  await record(undefined, 'check_out_key', checkOut, 'check_out_key evm');
  answers['check_out_key solana'] = JSON.stringify({ client_id: clientId, ...sealed.solana });
  const next = await sealKey({ private_key: newEvmKey() }, clientId, async () => keyring);
  await record(userId, 'rotate_key', { ...edge, client_id: clientId, ...next });
  await record(userId, 'revoke_key_at_edge', { ...edge, client_id: clientId });

  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' };
  const token = (n: number) =>
    new SignJWT({
      sub: userId,
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
    clientId,
    botId,
    userId,
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

export const newEvmKey = () => randomBytes(32).toString('hex');
/** A seed and its public key, as wallets export them. */
export function newSolanaKey(): string {
  const seed = randomBytes(32);
  return base58.encode(Uint8Array.from([...seed, ...ed25519.getPublicKey(seed)]));
}

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
export function transfer(from: string): string {
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
