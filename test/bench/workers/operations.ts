/** The edge's operations, each beside the bare work that it cannot do without: `?op=NAME&n=TIMES`. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { base64url } from 'jose';
import { createVerifier } from '../../../src/auth/verify-token.ts';
import { type Binding, open, seal } from '../../../src/crypto/envelope.ts';
import { parseKeyring } from '../../../src/crypto/keyring.ts';
import { readSettings } from '../../../src/env.ts';
import { recoverPoint, signDigest } from '../../../src/keys/ecdsa.ts';
import { signAs } from '../../../src/keys/index.ts';
import { readSigning, type SigningRequest } from '../../../src/signing/index.ts';
import { bareCipher, random } from './bare-cipher.ts';
import { bareSigning, signEd25519, verifyEd25519 } from './bare-signing.ts';

interface Env {
  readonly SUPABASE_URL: string;
  readonly SUPABASE_JWT_SECRET: string;
  readonly ENCRYPTION_KEY: string;
  readonly SAMPLES: string;
}

export interface Samples {
  /** Used in turns: each has left the caches by the time it is used again. */
  readonly hs256: readonly string[];
  readonly es256: readonly string[];
  readonly es256_key: JsonWebKey;
  /** Private keys in hex, used only here, and their addresses. */
  readonly wallets: Readonly<Record<'evm' | 'solana', { secret: string; address: string }>>;
  readonly requests: Readonly<Record<string, SigningRequest>>;
}

type Operation = () => unknown;

let operations: Promise<Readonly<Record<string, Operation>>> | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    operations ??= prepare(env);
    const { searchParams } = new URL(request.url);
    const operation = (await operations)[searchParams.get('op') ?? ''];
    if (!operation) return Response.json(Object.keys(await operations));
    for (let n = Number(searchParams.get('n')); n > 0; n--) await operation();
    return new Response('done');
  },
};

async function prepare(env: Env): Promise<Readonly<Record<string, Operation>>> {
  const samples = JSON.parse(env.SAMPLES) as Samples;
  const keyring = await parseKeyring(env.ENCRYPTION_KEY);
  const binding = (chain: 'evm' | 'solana'): Binding => ({
    clientId: '01a20578-128f-712f-9bed-d096023531f1',
    keyId: '01a20578-12bf-77b8-826a-79d769247e94',
    chain,
    address: samples.wallets[chain].address,
  });
  const secrets = {
    evm: new Uint8Array(hexToBytes(samples.wallets.evm.secret)),
    solana: new Uint8Array(hexToBytes(samples.wallets.solana.secret)),
  };
  const envelopes = {
    evm: await seal(secrets.evm, binding('evm'), keyring),
    solana: await seal(secrets.solana, binding('solana'), keyring),
  };
  const bare = await bareCipher(random(32));
  const bound = random(430);
  const sealedBare = await bare.seal(secrets.evm, bound);
  const sealedBareSeed = await bare.seal(secrets.solana, bound);

  const solanaKey = new Uint8Array(ed25519.getPublicKey(secrets.solana));
  const settings = readSettings(env);
  const verifier = createVerifier(settings);
  let turn = 0;
  const nextOf = (tokens: readonly string[]) => tokens[turn++ % tokens.length] ?? '';
  const hs256 = await bareToken(
    samples.hs256[0] ?? '',
    { name: 'HMAC', hash: 'SHA-256' },
    env.SUPABASE_JWT_SECRET,
  );
  const es256 = await bareToken(
    samples.es256[0] ?? '',
    { name: 'ECDSA', namedCurve: 'P-256' },
    samples.es256_key,
  );

  const signing = Object.entries(samples.requests).flatMap(([kind, request]): [string, Operation][] => {
    const chain = kind.startsWith('solana') ? 'solana' : 'evm';
    const { payload } = readSigning(request);
    const openBare = () => bare.open(chain === 'evm' ? sealedBare : sealedBareSeed, bound);
    return [
      [
        `sign ${kind}`,
        async () => {
          const read = readSigning(request);
          const secret = await open(envelopes[chain], binding(chain), keyring);
          return read.finish(
            await signAs(binding(chain) as { chain: 'evm'; address: string }, read.payload, secret),
            binding(chain).address,
          );
        },
      ],
      [
        `bare sign ${kind}`,
        async () => {
          const secret = await openBare();
          return chain === 'evm' ? signDigest(payload, secret) : signEd25519(payload, secret);
        },
      ],
      [
        `bare sign and check ${kind}`,
        async () => {
          const secret = await openBare();
          if (chain === 'evm') {
            const signature = signDigest(payload, secret);
            return signature && recoverPoint(payload, signature);
          }
          const signature = await signEd25519(payload, secret);
          return verifyEd25519(solanaKey, payload, signature);
        },
      ],
      [`bare hash, sign and check ${kind}`, bareSigning(request, openBare, samples.wallets[chain].address)],
    ];
  });

  return {
    nothing: () => undefined,
    seal: () => seal(secrets.evm, binding('evm'), keyring),
    'bare seal': () => bare.seal(secrets.evm, bound),
    open: () => open(envelopes.evm, binding('evm'), keyring),
    'bare open': () => bare.open(sealedBare, bound),
    'verify HS256': () => verifier.verify(nextOf(samples.hs256)),
    'verify HS256 again': () => verifier.verify(samples.hs256[0] ?? ''),
    'bare verify HS256': hs256,
    'verify ES256': () => verifier.verify(nextOf(samples.es256)),
    'verify ES256 again': () => verifier.verify(samples.es256[0] ?? ''),
    'bare verify ES256': es256,
    ...Object.fromEntries(signing),
  };
}

/** Verifies a signature that is already separated from its token. */
async function bareToken(
  token: string,
  algorithm: HmacImportParams | EcKeyImportParams,
  of: string | JsonWebKey,
): Promise<Operation> {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const key = await (typeof of === 'string'
    ? crypto.subtle.importKey('raw', new TextEncoder().encode(of), algorithm, false, ['verify'])
    : crypto.subtle.importKey('jwk', of, algorithm, false, ['verify']));
  const bytes = new Uint8Array(base64url.decode(signature));
  const signed = new TextEncoder().encode(`${header}.${payload}`);
  const name = algorithm.name === 'HMAC' ? 'HMAC' : { name: 'ECDSA', hash: 'SHA-256' };
  return () => crypto.subtle.verify(name, key, bytes, signed);
}
