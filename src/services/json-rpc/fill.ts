/** Fills in the fields of a transaction that the caller left out, as a node does for `eth_sendTransaction`. */
import { Problem } from '../../problem.ts';
import { readQuantity, transactionType } from '../../signing/index.ts';
import type { FilledFields } from '../sign.ts';
import type { Node } from './node.ts';
import { isObject, type JsonObject } from './parameters.ts';

const hex = (value: bigint) => `0x${value.toString(16)}`;
const least = (one: bigint, other: bigint) => (one < other ? one : other);
const has = (transaction: JsonObject, ...names: readonly string[]) =>
  names.some((name) => transaction[name] !== undefined);

/** Fields whose names and forms a node knows, for the estimate of gas. */
const ESTIMATED = ['to', 'data', 'input', 'accessList', 'authorizationList'];

/** Whether the caller left out nothing, so that no node has to be asked. */
export function isComplete(transaction: JsonObject): boolean {
  return (
    has(transaction, 'nonce') &&
    has(transaction, 'gas', 'gasLimit') &&
    (has(transaction, 'gasPrice') ||
      (has(transaction, 'maxFeePerGas') && has(transaction, 'maxPriorityFeePerGas')))
  );
}

/** @throws {NodeError | Problem} rpc_fees_required, rpc_fee_cap_exceeded, a problem or an error of the node */
export async function fill(
  transaction: JsonObject,
  from: string,
  node: Node,
  feeCap: bigint | undefined,
): Promise<FilledFields> {
  const [nonce, gas, fees] = await Promise.all([
    has(transaction, 'nonce') ? {} : nonceOf(from, node),
    has(transaction, 'gas', 'gasLimit') ? {} : gasOf(transaction, from, node),
    feesOf(transaction, node, feeCap),
  ]);
  return { ...nonce, ...gas, ...fees };
}

/** Counts the transactions in the pool of the node too. */
async function nonceOf(from: string, node: Node): Promise<FilledFields> {
  return { nonce: hex(quantity(await node('eth_getTransactionCount', [from, 'pending']))) };
}

async function gasOf(transaction: JsonObject, from: string, node: Node): Promise<FilledFields> {
  const value = readQuantity(transaction.value);
  const known = Object.entries(transaction).filter(([name]) => ESTIMATED.includes(name));
  const call = { from, ...Object.fromEntries(known), ...(value !== undefined && { value: hex(value) }) };
  return { gas: hex(quantity(await node('eth_estimateGas', [call]))) };
}

/** @param feeCap wei for each unit of gas: the highest fee that may be filled in */
async function feesOf(
  transaction: JsonObject,
  node: Node,
  feeCap: bigint | undefined,
): Promise<FilledFields> {
  if (has(transaction, 'gasPrice')) return {};
  // A cap of the caller itself limits the tip too.
  const own = readQuantity(transaction.maxFeePerGas);
  const isMalformed = (name: string) =>
    has(transaction, name) && readQuantity(transaction[name]) === undefined;
  // Signing rejects it, and names the field.
  if (isMalformed('maxFeePerGas') || isMalformed('maxPriorityFeePerGas')) return {};
  const cap = own ?? feeCap;
  if (cap === undefined) throw new Problem('rpc_fees_required');
  const hasTip = has(transaction, 'maxPriorityFeePerGas');
  if (own !== undefined && hasTip) return {};
  const type = transactionType(transaction.type);
  const baseFee = own !== undefined || type === 0n || type === 1n ? undefined : await baseFeeOf(node);
  if (own === undefined && baseFee === undefined) {
    const gasPrice = quantity(await node('eth_gasPrice', []));
    if (gasPrice > cap) throw new Problem('rpc_fee_cap_exceeded');
    // The chain has no base fee, so it has no transactions of type 2.
    return {
      gasPrice: hex(gasPrice),
      ...(type === undefined && !has(transaction, 'accessList') && { type: '0x0' }),
    };
  }
  const tip = hasTip
    ? quantity(transaction.maxPriorityFeePerGas)
    : least(quantity(await node('eth_maxPriorityFeePerGas', [])), cap);
  const filledTip = hasTip ? {} : { maxPriorityFeePerGas: hex(tip) };
  if (own !== undefined) return filledTip;
  if ((baseFee ?? 0n) > cap || tip > cap) throw new Problem('rpc_fee_cap_exceeded');
  // Blocks can become full six times in a row before the base fee has doubled.
  return { ...filledTip, maxFeePerGas: hex(least(2n * (baseFee ?? 0n) + tip, cap)) };
}

async function baseFeeOf(node: Node): Promise<bigint | undefined> {
  const block = await node('eth_getBlockByNumber', ['latest', false]);
  return isObject(block) ? readQuantity(block.baseFeePerGas) : undefined;
}

function quantity(value: unknown): bigint {
  const read = readQuantity(value);
  if (read === undefined) throw new Problem('rpc_node_response_invalid');
  return read;
}
