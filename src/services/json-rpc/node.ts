/**
 * The EVM nodes that the operator has configured. Nothing of a request changes their URLs. A URL may contain an API key, so
 * neither it nor any part of it leaves this file.
 */
import type { Settings } from '../../env.ts';
import { fetchWhole, ResponseTooLarge } from '../../fetch-whole.ts';
import { Problem } from '../../problem.ts';
import { NodeError } from './errors.ts';
import { isObject } from './parameters.ts';

/** Calls a method of one node. @throws {NodeError | Problem} */
export type Node = (method: string, params: readonly unknown[]) => Promise<unknown>;

export interface Nodes {
  /** The only chain that has a node. */
  readonly onlyChain: string | undefined;
  /** @throws {Problem} rpc_node_missing, rpc_settings_malformed */
  of(chainId: string): Node;
  /** @throws {Problem} rpc_settings_malformed */
  feeCapOf(chainId: string): bigint | undefined;
}

const MAX_RESPONSE_BYTES = 1024 * 1024;
const MAX_MESSAGE_LENGTH = 512;
/** The data of an error is what a contract reverted with. */
const MAX_DATA_LENGTH = 64 * 1024;
/** A shorter part of a URL, such as `v3` or `mainnet`, is not a secret. */
const MIN_NAME_LENGTH = 8;
/** An API key. Only the message of an error can contain a shorter part of the URL by itself. */
const MIN_SECRET_LENGTH = 16;

export function nodesOf({ rpcUrls, rpcFeeCaps }: Settings, limitMs: number): Nodes {
  const [only, another] = rpcUrls?.keys() ?? [];
  return {
    onlyChain: another === undefined ? only : undefined,
    of(chainId) {
      if (!rpcUrls) throw new Problem('rpc_settings_malformed');
      const url = rpcUrls.get(chainId);
      if (!url) throw new Problem('rpc_node_missing');
      return nodeAt(url, limitMs);
    },
    feeCapOf(chainId) {
      if (!rpcFeeCaps) throw new Problem('rpc_settings_malformed');
      return rpcFeeCaps.get(chainId);
    },
  };
}

/** @throws {Problem} rpc_settings_malformed */
export function checkRpcSettings({ rpcUrls, rpcFeeCaps }: Settings): void {
  if (!rpcUrls || !rpcFeeCaps) throw new Problem('rpc_settings_malformed');
}

function nodeAt(url: URL, limitMs: number): Node {
  const parts = partsOf(url);
  const secrets = parts.filter((part) => part.length >= MIN_SECRET_LENGTH);
  return async (method, params) => {
    const { status, text } = await fetchWhole(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
        signal: AbortSignal.timeout(limitMs),
      },
      MAX_RESPONSE_BYTES,
    ).catch((error) => {
      throw new Problem(
        error instanceof ResponseTooLarge ? 'rpc_node_response_invalid' : 'rpc_node_unavailable',
      );
    });
    const response = parse(text);
    if (!isObject(response) || response.jsonrpc !== '2.0' || response.id !== 1 || isRedirect(status)) {
      throw new Problem(
        status === 429 || status >= 500 ? 'rpc_node_unavailable' : 'rpc_node_response_invalid',
      );
    }
    if (isObject(response.error)) throw nodeError(response.error, [...parts, url.host]);
    if (response.result === undefined || secrets.some((secret) => text.includes(secret)))
      throw new Problem('rpc_node_response_invalid');
    return response.result;
  };
}

const isRedirect = (status: number) => status >= 300 && status < 400;

/** Every part of a URL that may be an API key or name the provider. */
function partsOf({ host, pathname, searchParams }: URL): string[] {
  const labels = host.split('.');
  const parts = [...labels, ...pathname.split('/'), ...searchParams.keys(), ...searchParams.values()];
  return parts.flatMap((part) => [part, decoded(part)]).filter((part) => part.length >= MIN_NAME_LENGTH);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Clients read the message and the data of an error. Both are dropped if they could contain a part of the URL. */
function nodeError({ code, message, data }: Readonly<Record<string, unknown>>, secrets: readonly string[]) {
  const isHex = typeof data === 'string' && data.length <= MAX_DATA_LENGTH && /^0x[0-9a-f]*$/i.test(data);
  return new NodeError({
    code: Number.isSafeInteger(code) ? (code as number) : -32603,
    message: isPlain(message, secrets) ? message : 'The node rejected the request',
    ...(isHex && { data }),
  });
}

function isPlain(message: unknown, secrets: readonly string[]): message is string {
  if (typeof message !== 'string' || message === '' || message.length > MAX_MESSAGE_LENGTH) return false;
  const lower = message.toLowerCase();
  return !lower.includes('://') && !secrets.some((secret) => lower.includes(secret.toLowerCase()));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
