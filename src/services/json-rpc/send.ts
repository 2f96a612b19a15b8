import { Problem } from '../../problem.ts';
import { transactionHash } from '../../signing/index.ts';
import { NodeError, Unconfirmed } from './errors.ts';
import type { Node } from './node.ts';
import { isObject } from './parameters.ts';

/** Geth, Nethermind, Erigon, Besu, Reth and anvil, in this order. */
const KNOWN = /already known|alreadyknown|already_exists|known transaction|already imported/i;

/** Errors of nodes and providers after which it is not known whether the transaction was taken. */
const UNDECIDED = new Set([-32603, -32002, -32005]);

/**
 * Sends a signed transaction and returns its hash. The same bytes can be sent any number of times: so a node that does not
 * respond gets them once more, and a node that has them already is a success.
 *
 * @param again whether an earlier request may have sent it
 * @throws {NodeError} the node rejected the transaction, and nothing was sent before
 * @throws {Unconfirmed} it is not known whether a node has it
 */
export async function send(raw: string, node: Node, again: boolean): Promise<string> {
  const hash = transactionHash(raw);
  const first = await attempt(raw, node);
  if (first === 'sent' || (first === undefined && (await attempt(raw, node)) === 'sent')) return hash;
  if (await isAt(node, hash)) return hash;
  // After an attempt whose outcome is not known, "nonce too low" can mean that the transaction itself has used the nonce.
  if (first && !again) throw first;
  throw new Unconfirmed({ transaction_hash: hash, raw });
}

/** Undefined if the outcome is not known. */
async function attempt(raw: string, node: Node): Promise<'sent' | NodeError | undefined> {
  try {
    await node('eth_sendRawTransaction', [raw]);
    return 'sent';
  } catch (error) {
    if (error instanceof NodeError) {
      if (KNOWN.test(error.object.message)) return 'sent';
      return UNDECIDED.has(error.object.code) ? undefined : error;
    }
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** A node that has mined a transaction rejects it as one whose nonce is too low. */
async function isAt(node: Node, hash: string): Promise<boolean> {
  const found = await node('eth_getTransactionByHash', [hash]).catch(() => undefined);
  return isObject(found) && found.hash === hash;
}
