/** Runs the items of an HTTP request. */
import type { RpcResponse } from '../../contract/rpc.ts';
import { Problem } from '../../problem.ts';
import { COUNTED_FAILURES } from '../signing-failures.ts';
import { type Caller, Session } from './caller.ts';
import { errorOf, NodeError } from './errors.ts';
import type { Item, Message } from './message.ts';
import { type Method, methodNamed } from './methods.ts';

/** Each may hold a response of 1 MiB, and an isolate has 128. */
const MAX_CONCURRENT_READS = 4;

export interface Options {
  readonly caller: Caller;
  readonly requestId: string;
  /** The problem of each item that has one, and whether the item was to sign. */
  readonly onProblem: (problem: Problem, signs: boolean) => void;
  /** Returns the problem for any error. */
  readonly asProblem: (error: unknown) => Problem;
}

/**
 * The responses in the order of the requests; empty if all are notifications. Requests to sign run one after the other, so
 * that each transaction finds the nonce after that of the one before it.
 *
 * @throws {Problem} if no item could be run, for one reason that has nothing to do with the items
 */
export async function run({ items, isBatch }: Message, options: Options): Promise<RpcResponse[]> {
  const session = new Session(options.caller);
  const outcomes = new Map<Item, Outcome>();
  const tasks = items.map((item, index) => {
    const method = methodOf(item);
    return {
      signs: !(method instanceof Problem) && method.signs,
      async run() {
        // An item that is not in a batch has the Idempotency-Key of the whole request.
        const part = isBatch ? `item ${index}` : 'request';
        outcomes.set(item, await outcomeOf(item, method, part, session, options));
      },
    };
  });
  const signing = tasks.filter(({ signs }) => signs).values();
  const reading = tasks.filter(({ signs }) => !signs).values();
  const readers = Array.from({ length: MAX_CONCURRENT_READS }, () => inTurn(reading));
  await Promise.all([inTurn(signing), ...readers]);
  const all = [...outcomes.values()];
  const [{ problem } = {}] = all;
  if (problem && isOfAllItems(problem) && all.every((other) => other.problem?.code === problem.code))
    throw problem;
  return items.flatMap((item) => {
    const { response } = outcomes.get(item) ?? {};
    return item.id === undefined || !response ? [] : [{ jsonrpc: '2.0' as const, id: item.id, ...response }];
  });
}

/**
 * The token is not valid, or the service is not available: nothing was sent to a node. Clients repeat a whole request after a
 * 503, so a request to send is never one after its transaction was signed.
 */
function isOfAllItems({ code, status }: Problem): boolean {
  if (code === 'token_invalid') return true;
  return status === 503 && !code.startsWith('rpc_') && !COUNTED_FAILURES.has(code);
}

/** Several of these take the tasks of one iterator. */
async function inTurn(tasks: Iterable<{ run(): Promise<void> }>): Promise<void> {
  for (const task of tasks) await task.run();
}

interface Outcome {
  readonly response: Pick<RpcResponse, 'result' | 'error'>;
  readonly problem?: Problem;
}

function methodOf(item: Item): Method | Problem {
  if ('problem' in item) return item.problem;
  try {
    return methodNamed(item.method);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

async function outcomeOf(
  item: Item,
  method: Method | Problem,
  part: string,
  session: Session,
  { caller, requestId, onProblem, asProblem }: Options,
): Promise<Outcome> {
  const failed = (problem: Problem, signs: boolean): Outcome => {
    onProblem(problem, signs);
    return { response: { error: errorOf(problem, requestId) }, problem };
  };
  if (method instanceof Problem || 'problem' in item)
    return failed(method instanceof Problem ? method : new Problem('rpc_request_invalid'), false);
  const { params } = item;
  // Without the id, which a client changes when it repeats a request.
  const database = caller.database.forPart(
    part,
    JSON.stringify([caller.chainId ?? null, item.method, params]),
  );
  try {
    return { response: { result: await method.run({ caller, session, params, database }) } };
  } catch (error) {
    if (error instanceof NodeError) return { response: { error: error.object } };
    return failed(asProblem(error), method.signs);
  }
}
