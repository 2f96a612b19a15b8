/** The texts and examples of an operation. They are in the description, and not in the bundle of the Worker. */
import type { ProblemCode } from '../../problem.ts';

export const TAGS = {
  Clients:
    'The clients of the platform. Each client is linked to at most one account and has at most one trading key.',
  Bots: 'The bots of a client: their wallets, their state and their health.',
  Keys: 'The trading key of a client, which is never returned, and the master keys that encrypt all keys.',
  Policies: 'What a bot may sign. Without a policy nothing is limited.',
  'Machine tokens': 'The credentials of runners. A machine token signs for one or more bots.',
  Execution: 'What a runner calls with its machine token: its bots, signatures and heartbeats.',
  Audit: 'The audit chains: who changed what and when, each row with the hash of the row before it.',
  Service: 'Whether the service runs, and what it depends on.',
} as const;

export interface OperationReference {
  readonly tag: keyof typeof TAGS;
  /** One sentence without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** The codes of this operation alone. `problems.ts` adds the codes that follow from its declaration. */
  readonly problems: readonly ProblemCode[];
  /** The codes that are only in `data` of an error of JSON-RPC, in a response 200. */
  readonly problemsInData?: readonly ProblemCode[];
  /** An example of the body, if the operation takes one. */
  readonly request?: unknown;
  /** The responses other than problems, by status: a sentence and an example. */
  readonly responses: Readonly<Record<number, { readonly description: string; readonly example: unknown }>>;
}

/** Keeps the names of the operations as a type, so that a route can only name an operation that exists here. */
export const operations = <Name extends string>(
  references: Record<Name, OperationReference>,
): Readonly<Record<Name, OperationReference>> => references;
