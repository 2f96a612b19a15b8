import { Problem } from '../../problem.ts';
import { transactionHash } from '../../signing/index.ts';
import { NodeError, Unconfirmed } from './errors.ts';
import type { Node } from './node.ts';
import { isObject } from './parameters.ts';

/** Geth, Nethermind, Erigon, Besu, Reth and anvil, in this order. */
const KNOWN = /already known|alreadyknown|already_exists|known transaction|already imported/i;

/**
 * Sends a signed transaction and returns its hash. The same bytes can be sent any number of times: so a node that does not
 * respond gets them once more, and a node that has them already is a success.
 *
 * @throws {NodeError} the node rejected the transaction
 * @throws {Unconfirmed} the node did not say whether it has it
 */
export async function send(raw: string, node: Node): Promise<string> {
  const hash = transactionHash(raw);
  const outcome = (await attempt(raw, node)) ?? (await attempt(raw, node));
  if (outcome === 'sent' || (await isAt(node, hash))) return hash;
  if (outcome) throw outcome;
  throw new Unconfirmed({ transaction_hash: hash, raw });
}

/** Undefined if the outcome is not known. */
async function attempt(raw: string, node: Node): Promise<'sent' | NodeError | undefined> {
  try {
    await node('eth_sendRawTransaction', [raw]);
    return 'sent';
  } catch (error) {
    if (error instanceof NodeError) return KNOWN.test(error.object.message) ? 'sent' : error;
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** A node that has mined a transaction rejects it as one whose nonce is too low. */
async function isAt(node: Node, hash: string): Promise<boolean> {
  const found = await node('eth_getTransactionByHash', [hash]).catch(() => undefined);
  return isObject(found) && found.hash === hash;
}
