/** The wallet that signs, and what every account and signer of this package does with a response. */
import type { SigningClient, TradingKeysClient } from './api.ts';
import { ApiProblem, NoAnswer, SigningError } from './errors.ts';
import type { CallOptions } from './transport.ts';
import type { SignRequest } from './types.ts';

export interface SigningWallet<Client extends SigningClient = SigningClient> {
  readonly client: Client;
  readonly botId: string;
  /** The wallet's address. After a rotation the address is another one: create the account or signer again. */
  readonly address: string;
  /** The wallet's id; if not given, the wallet is found by its address. */
  readonly wallet?: string | undefined;
}

/**
 * Requests a signature. `verify` reads it, and returns `undefined` if it is not a signature of the request by the wallet's
 * address: what the API reports as signed is not trusted.
 *
 * @throws {SigningError} the response is from another address, or `verify` returned `undefined`
 */
export async function requestSignature<Signature>(
  { client, botId, address, wallet = address }: SigningWallet,
  request: SignRequest,
  verify: (signature: string) => Promise<Signature | undefined>,
  options?: CallOptions,
): Promise<Signature> {
  const answer = await client.bots.sign(botId, { ...request, wallet }, options);
  if (answer.address !== address) {
    throw new SigningError(
      'The wallet has another address. client.runner.bot(id) returns it: create the account or signer again.',
      'address_changed',
    );
  }
  const signature = typeof answer.signature === 'string' ? await verify(answer.signature) : undefined;
  if (signature === undefined) {
    throw new SigningError('The response does not sign the request.', 'signature_mismatch');
  }
  return signature;
}

/** The calls of a signer that reports whether it can sign. */
export interface RunnerClient extends SigningClient {
  readonly runner: Pick<TradingKeysClient['runner'], 'bot'>;
}

/** Whether the API accepts the token, the bot runs, and the wallet has a key with this address. */
export async function isAvailable({
  client,
  botId,
  address,
  wallet = address,
}: SigningWallet<RunnerClient>): Promise<boolean> {
  try {
    const { status, wallets } = await client.runner.bot(botId);
    const signing = wallets.find((one) => one.address === address && [one.id, address].includes(wallet));
    return status === 'running' && signing !== undefined && signing.key_source !== null;
  } catch (error) {
    if (error instanceof ApiProblem || error instanceof NoAnswer) return false;
    throw error;
  }
}
