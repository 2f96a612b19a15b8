/**
 * What a route is compared with: the same request by the same router, the same call of the database API with the same
 * headers and a body of the same length, the same JSON passed on. If the request has a private key, the bare route parses it,
 * derives its address and seals 32 bytes under two layers of AES-GCM. No implementation can do less. The bare route does not
 * verify, validate, limit or log anything, and sends no headers for browsers.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base58, base64 } from '@scure/base';
import { type Context, Hono } from 'hono';
import { base64url } from 'jose';
import * as ecdsa from '../../../src/keys/ecdsa.ts';
import { bareCipher } from './bare-cipher.ts';

interface Env {
  Bindings: {
    readonly SUPABASE_URL: string;
    readonly SUPABASE_PUBLISHABLE_KEY: string;
    readonly ENCRYPTION_KEY: string;
    readonly EDGE_TOKEN: string;
    /** `none`: takes the public key as given, so that the time of deriving it can be measured. */
    readonly CURVES: string;
  };
}

type Chain = 'evm' | 'solana';

interface KeyRequest {
  readonly bot_type?: string;
  readonly private_key: string;
  readonly chain?: Chain;
}

const app = new Hono<Env>();

app.get('/health', (c) => c.json({ status: 'ok' }));
app.get('/clients/me', async (c) => c.json(await asCaller(c, 'get_own_client', {})));
app.get('/clients/:id/trading-key', async (c) =>
  c.json(await asCaller(c, 'get_trading_key', { client_id: c.req.param('id') })),
);
app.get('/clients/:id/bots', async (c) =>
  c.json(await asCaller(c, 'list_bots', { client_id: c.req.param('id'), page_size: 50 })),
);
app.get('/clients/:id/bot-options', async (c) =>
  c.json(await asCaller(c, 'list_bot_options', { client_id: c.req.param('id') })),
);
app.get('/bots/:id', async (c) => c.json(await asCaller(c, 'get_bot', { bot_id: c.req.param('id') })));
app.get('/bots/:id/policy', async (c) =>
  c.json(await asCaller(c, 'get_policy', { bot_id: c.req.param('id') })),
);
app.delete('/clients/:id/revoke-key', async (c) =>
  c.json(await asCaller(c, 'revoke_key_at_edge', atEdge(c, { client_id: c.req.param('id') }))),
);

app.get('/runner/bots', async (c) => c.json(await asRunner(c, 'list_runner_bots', {})));
app.post('/bots/:id/heartbeat', async (c) => {
  const { status } = await c.req.json();
  return c.json(await asRunner(c, 'record_heartbeat', { bot_id: c.req.param('id'), status }));
});
app.post('/bots/:id/sign', async (c) => {
  const { type } = await c.req.json();
  const signing = { kind: type, chain_id: null, recipients: [], value: '0', digest: '00'.repeat(32) };
  return c.json(await asRunner(c, 'check_out_key', atEdge(c, { bot_id: c.req.param('id'), signing })));
});

app.put('/clients/:id/rotate-key', async (c) => {
  const client_id = c.req.param('id');
  const key = await sealed(c, await c.req.json(), client_id);
  return c.json(await asCaller(c, 'rotate_key', atEdge(c, { client_id, ...key })));
});
app.post('/clients/:id/setup-bot', async (c) => {
  const client_id = c.req.param('id');
  const { bot_type, ...key } = await c.req.json<KeyRequest>();
  const wallet = await sealed(c, key, client_id);
  const args = atEdge(c, { client_id, bot_type, name: bot_type, config: {}, wallet });
  return c.json(await asCaller(c, 'setup_bot', args), 201);
});

function asCaller(c: Context<Env>, name: string, args: object): Promise<object> {
  return call(c, name, args, c.req.header('authorization') ?? '');
}

function asRunner(c: Context<Env>, name: string, args: object): Promise<object> {
  const token = (c.req.header('authorization') ?? '').slice('Bearer '.length);
  return call(c, name, { ...args, token });
}

const atEdge = (c: Context<Env>, args: object) => ({ edge_token: c.env.EDGE_TOKEN, ...args });

async function call(c: Context<Env>, name: string, args: object, authorization?: string): Promise<object> {
  const answer = await fetch(`${c.env.SUPABASE_URL}/rest/v1/rpc/${name}`, {
    method: 'POST',
    headers: {
      apikey: c.env.SUPABASE_PUBLISHABLE_KEY,
      ...(authorization !== undefined && { authorization }),
      'content-profile': 'public',
      'content-type': 'application/json',
      'x-request-id': crypto.randomUUID(),
    },
    body: JSON.stringify(args),
  });
  return answer.json();
}

let cipher: ReturnType<typeof bareCipher> | undefined;

async function sealed(c: Context<Env>, { private_key, chain = 'evm' }: KeyRequest, clientId: string) {
  const secret = new Uint8Array(
    chain === 'evm' ? hexToBytes(private_key) : base58.decode(private_key).slice(0, 32),
  );
  const address = addressOf(chain, c.env.CURVES === 'none' ? NO_POINT[chain] : pointOf(chain, secret));
  const keyId = crypto.randomUUID();
  const binding = JSON.stringify({ clientId, chain, address, keyId });
  cipher ??= bareCipher(new Uint8Array(base64.decode(c.env.ENCRYPTION_KEY)));
  const parts = await (await cipher).seal(secret, utf8ToBytes(binding));
  const texts = [utf8ToBytes(binding), ...Object.values(parts)].map((part) =>
    base64url.encode(new Uint8Array(part)),
  );
  return { address, chain, key_id: keyId, encrypted_key: texts.join('.') };
}

const NO_POINT = { evm: new Uint8Array(64), solana: new Uint8Array(32) };

function pointOf(chain: Chain, secret: Uint8Array): Uint8Array {
  return chain === 'evm' ? ecdsa.pointOf(secret) : ed25519.getPublicKey(secret);
}

function addressOf(chain: Chain, point: Uint8Array): string {
  return chain === 'evm' ? `0x${bytesToHex(keccak_256(point).subarray(12))}` : base58.encode(point);
}

export default app;
