/** The parameters of the methods that sign, as clients send them. */
import { Problem } from '../../problem.ts';
import { invalidParams } from './errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const ADDRESS = /^0x[0-9a-f]{40}$/i;
const isAddress = (value: unknown): value is string => typeof value === 'string' && ADDRESS.test(value);

export function addressAt(params: readonly unknown[], index: number): string {
  const value = params[index];
  if (!isAddress(value)) throw invalidParams(`/${index}`, 'must be the address of a wallet of the bot');
  return value;
}

export type Message = string | { readonly raw: string };

/**
 * `[message, address]`. Some clients send `[address, message]`: then only the first one is an address. If both are, the
 * order is that of the method, and the second one has to be a wallet of the bot.
 */
export function personalMessage(params: readonly unknown[]): { message: Message; wallet: string } {
  const isSwapped = isAddress(params[0]) && !isAddress(params[1]);
  const [messageAt, walletAt] = isSwapped ? [1, 0] : [0, 1];
  const wallet = addressAt(params, walletAt);
  const message = params[messageAt];
  if (typeof message !== 'string') throw invalidParams(`/${messageAt}`, 'must be a text, or hex of bytes');
  return { wallet, message: message.startsWith('0x') ? { raw: hexAt(params, messageAt) } : message };
}

/** Hex of bytes. */
export function hexAt(params: readonly unknown[], index: number): string {
  const value = params[index];
  if (typeof value !== 'string' || !/^0x(?:[0-9a-f]{2})*$/i.test(value))
    throw invalidParams(`/${index}`, 'must be 0x and an even number of hex digits');
  return value;
}

/** As for `POST /bots/{id}/sign`. Only transactions need a larger body. */
const MAX_TYPED_DATA_LENGTH = 64 * 1024;

/** An object, or its JSON as a text. */
export function typedDataAt(params: readonly unknown[], index: number): JsonObject {
  const value = params[index];
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  if (text.length > MAX_TYPED_DATA_LENGTH) throw invalidParams(`/${index}`, 'must have at most 64 KiB');
  const parsed = typeof value === 'string' ? parse(value) : value;
  if (!isObject(parsed)) throw invalidParams(`/${index}`, 'must be an object, or the JSON of an object');
  return parsed;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A transaction without the members that are null: JSON-RPC leaves out a field or sends null for it. */
export function transactionAt(params: readonly unknown[], index: number): JsonObject {
  const value = params[index];
  if (!isObject(value)) throw invalidParams(`/${index}`, 'must be a transaction');
  const { from, chainId } = value;
  if (from !== undefined && from !== null && !isAddress(from))
    throw invalidParams(`/${index}/from`, 'must be the address of a wallet of the bot');
  if (chainId !== undefined && chainId !== null && chainOf(value) === undefined)
    throw invalidParams(`/${index}/chainId`, 'must be a quantity of at least 1');
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

/** In lower case: the checksum of `from` depends on the chain, and is checked with the other fields of the transaction. */
export const walletOf = ({ from }: JsonObject): string | undefined =>
  isAddress(from) ? from.toLowerCase() : undefined;

/** The `chainId` of a transaction, in decimal. */
export function chainOf({ chainId }: JsonObject): string | undefined {
  if (typeof chainId === 'number')
    return Number.isSafeInteger(chainId) && chainId > 0 ? String(chainId) : undefined;
  const isQuantity = typeof chainId === 'string' && /^(?:0x[0-9a-f]{1,16}|\d{1,16})$/i.test(chainId);
  return isQuantity && BigInt(chainId) > 0n ? String(BigInt(chainId)) : undefined;
}

/** @throws {Problem} rpc_chain_mismatch if the URL names another chain */
export function requireChain(transaction: JsonObject, named: string | undefined): void {
  const chainId = chainOf(transaction);
  if (named !== undefined && chainId !== undefined && chainId !== named)
    throw new Problem('rpc_chain_mismatch');
}
