/**
 * `trading-keys/audit`: verifies the audit chain of a client, or of the deployment, from the API's answers alone.
 *
 *     const { rows, head, misfit } = await verifyChain(api, clientId, { known: [headFromLastTime] });
 *     const deployment = await verifyChain(api, 'deployment');
 *
 * The hashes show that no row was changed, dropped, inserted or moved. They do not show that the chain was not cut off
 * at its end, or written anew as a whole: for that, keep the `head` (or a checkpoint) of each time elsewhere, and give
 * it as `known` the next time.
 */
import { canonicalHash } from './canonical.ts';
import { openCheckpoint, type SignedHead } from './checkpoint.ts';
import type { CallOptions } from './transport.ts';
import type { AuditKeys, Checkpoint, KeyEvent, Page, SeqPageQuery } from './types.ts';

export { canonicalHash, canonicalJson } from './canonical.ts';
export { openCheckpoint, type SignedHead } from './checkpoint.ts';

/** A row by its place and its hash: with it, everything up to there is told. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/**
 * Why a row does not fit:
 * - `wrong_hash`: it is not what its hash was made of.
 * - `wrong_previous`: it does not follow the row before.
 * - `gap`: rows before it are missing.
 * - `fork`: its place is taken, or it stands out of order.
 * - `wrong_client`: it is a row of another chain.
 * - `wrong_count`: its count of `key_released` events does not follow from the row before.
 * - `not_canonical`: it is not of the form of a row.
 * - `truncated`: the chain ends before it, although it is known, or was signed, that it was there.
 * - `known_head`: it was known with another hash.
 * - `checkpoint`: it was signed with another hash.
 * - `checkpoint_signature`: its checkpoint was signed by none of the keys, or says something else.
 */
export type MisfitReason =
  | 'wrong_hash'
  | 'wrong_previous'
  | 'gap'
  | 'fork'
  | 'wrong_client'
  | 'wrong_count'
  | 'not_canonical'
  | 'truncated'
  | 'known_head'
  | 'checkpoint'
  | 'checkpoint_signature';

export interface Misfit {
  readonly seq: number;
  /** Of the event, where there is one. */
  readonly id?: string;
  readonly reason: MisfitReason;
}

export interface ChainVerdict {
  /** The first row that does not fit; null: everything does. */
  readonly misfit: Misfit | null;
  /** How many rows fit, up to the first that does not. */
  readonly rows: number;
  /** The last row that fits: keep it. Null for an empty chain. */
  readonly head: ChainHead | null;
  /** How many checkpoints were verified. */
  readonly checkpoints: number;
}

export interface VerifyOptions {
  /** Heads that were seen, and checkpoints (JWS) that were kept, at other times. The more the better. */
  readonly known?: readonly (ChainHead | string)[] | undefined;
  /**
   * What checkpoints are verified with. Better kept than asked for: who can rewrite the chain might also answer other
   * keys. Not given: those of `GET /.well-known/jwks.json`.
   */
  readonly keys?: AuditKeys | undefined;
  /** Sees each row that fits, in order: for checks of one's own, such as that every signature one got is there. */
  readonly onRow?: ((row: KeyEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `client_id` of every row of the deployment's chain: no client has this id. */
const DEPLOYMENT_ID = '00000000-0000-0000-0000-000000000000';

interface KeyReader {
  readonly audit: { keys(options?: CallOptions): Promise<AuditKeys> };
}

/** The calls that verify a client's chain. `createClient` makes them. */
export interface AuditClient extends KeyReader {
  readonly clients: {
    keyEvents(clientId: string, query?: SeqPageQuery, options?: CallOptions): Promise<Page<KeyEvent>>;
    checkpoints(clientId: string, query?: SeqPageQuery, options?: CallOptions): Promise<Page<Checkpoint>>;
  };
}

/** The calls that verify the deployment's chain. */
export interface DeploymentAuditClient extends KeyReader {
  readonly events: {
    list(query?: SeqPageQuery, options?: CallOptions): Promise<Page<KeyEvent>>;
    checkpoints(query?: SeqPageQuery, options?: CallOptions): Promise<Page<Checkpoint>>;
  };
}

/** Reads the whole chain, a page at a time, in constant memory. Rejects only where the API does. */
export function verifyChain(
  api: DeploymentAuditClient,
  chain: 'deployment',
  options?: VerifyOptions,
): Promise<ChainVerdict>;
export function verifyChain(
  api: AuditClient,
  clientId: string,
  options?: VerifyOptions,
): Promise<ChainVerdict>;
export function verifyChain(
  api: AuditClient | DeploymentAuditClient,
  chain: string,
  options: VerifyOptions = {},
): Promise<ChainVerdict> {
  return verify(chain === 'deployment' ? deploymentChain(api) : clientChain(api, chain), options);
}

interface Chain extends KeyReader {
  /** Of the client. */
  readonly id: string;
  events(query: SeqPageQuery, options: CallOptions): Promise<Page<KeyEvent>>;
  checkpoints(query: SeqPageQuery, options: CallOptions): Promise<Page<Checkpoint>>;
}

function deploymentChain(api: AuditClient | DeploymentAuditClient): Chain {
  if (!('events' in api)) throw new TypeError('The client cannot read the chain of the deployment.');
  return {
    id: DEPLOYMENT_ID,
    audit: api.audit,
    events: (query, options) => api.events.list(query, options),
    checkpoints: (query, options) => api.events.checkpoints(query, options),
  };
}

function clientChain(api: AuditClient | DeploymentAuditClient, clientId: string): Chain {
  if (!('clients' in api)) throw new TypeError('The client cannot read the chain of a client.');
  return {
    id: clientId.toLowerCase(),
    audit: api.audit,
    events: (query, options) => api.clients.keyEvents(clientId, query, options),
    checkpoints: (query, options) => api.clients.checkpoints(clientId, query, options),
  };
}

async function verify(
  chain: Chain,
  { known = [], keys, onRow, signal }: VerifyOptions,
): Promise<ChainVerdict> {
  const publicKeys = keys ?? (await chain.audit.keys({ signal }));
  const heads = known.filter((one) => typeof one !== 'string');
  const kept = await Promise.all(
    known.filter((one) => typeof one === 'string').map((jws) => headIn(jws, publicKeys, chain.id)),
  );
  if (kept.includes(undefined)) return verdict(0, null, 0, { seq: 0, reason: 'checkpoint_signature' });
  const checkpoints = new Lookahead(everyItem((query) => chain.checkpoints(query, { signal })));
  const signed = kept.filter((head) => head !== undefined);
  const pending = [
    ...heads.map((head) => ({ ...head, reason: 'known_head' as const })),
    ...signed.map(({ seq, hash }) => ({ seq, hash, reason: 'checkpoint' as const })),
  ].sort((one, other) => one.seq - other.seq);
  let last: KeyEvent | undefined;
  let verified = signed.length;
  const done = (misfit: Misfit | null) =>
    verdict(last?.seq ?? 0, last ? { seq: last.seq, hash: last.hash } : null, verified, misfit);

  const rowsAfter = (seq: number) => everyItem((query) => chain.events(query, { signal }), seq);
  for (let before = -1; before !== (last?.seq ?? 0); ) {
    before = last?.seq ?? 0;
    for await (const row of rowsAfter(before)) {
      const reason = await misfitOf(row, last, chain.id);
      if (reason) return done({ seq: Number(row.seq), id: String(row.id), reason });
      for (let head = pending[0]; head && head.seq <= row.seq; head = pending[0]) {
        if (head.seq !== row.seq || head.hash !== row.hash) {
          return done({ seq: head.seq, id: row.id, reason: head.reason });
        }
        pending.shift();
      }
      for (
        let next = await checkpoints.peek();
        next && next.seq <= row.seq;
        next = await checkpoints.peek()
      ) {
        const said = await headIn(next.jws, publicKeys, chain.id);
        if (said?.seq !== next.seq) return done({ seq: next.seq, reason: 'checkpoint_signature' });
        if (said.seq !== row.seq || said.hash !== row.hash) {
          return done({ seq: said.seq, id: row.id, reason: 'checkpoint' });
        }
        verified += 1;
        checkpoints.skip();
      }
      last = row;
      onRow?.(row);
    }
    // A row may have been added and signed since the last page was read: before one is missed it is asked for again.
    if (pending.length === 0 && (await checkpoints.peek()) === undefined) return done(null);
  }
  const missing = pending[0] ?? (await checkpoints.peek());
  return done({ seq: missing?.seq ?? 0, reason: 'truncated' });
}

async function misfitOf(
  row: KeyEvent,
  last: KeyEvent | undefined,
  chainId: string,
): Promise<MisfitReason | undefined> {
  const expected = (last?.seq ?? 0) + 1;
  if (!Number.isSafeInteger(row.seq)) return 'not_canonical';
  if (row.seq > expected) return 'gap';
  if (row.seq < expected) return 'fork';
  if (row.client_id !== chainId) return 'wrong_client';
  if (row.previous_hash !== (last?.hash ?? null)) return 'wrong_previous';
  const { hash, ...hashed } = row;
  const recomputed = await canonicalHash(hashed).catch(() => undefined);
  if (recomputed === undefined) return 'not_canonical';
  if (recomputed !== hash) return 'wrong_hash';
  const signatures = (last?.signatures ?? 0) + (row.event === 'key_released' ? 1 : 0);
  return row.signatures === signatures ? undefined : 'wrong_count';
}

/** The head of this chain that the checkpoint names; `undefined` if it cannot be believed. */
async function headIn(jws: string, keys: AuditKeys, chainId: string): Promise<SignedHead | undefined> {
  const said = await openCheckpoint(jws, keys);
  return said && said.client_id === chainId && Number.isSafeInteger(said.seq) ? said : undefined;
}

function verdict(rows: number, head: ChainHead | null, checkpoints: number, misfit: Misfit | null) {
  return { rows, head, checkpoints, misfit };
}

/** Every item of a list, the oldest first, of which one page at a time is kept. */
async function* everyItem<Item extends KeyEvent | Checkpoint>(
  page: (query: SeqPageQuery) => Promise<Page<Item>>,
  after = 0,
): AsyncGenerator<Item> {
  for (let from = after; ; ) {
    const cursor = from > 0 ? String(from) : undefined;
    const { items, next_cursor } = await page({ order: 'oldest', limit: 100, cursor });
    yield* items;
    if (next_cursor === null) return;
    const last = items.at(-1)?.seq;
    // Whoever answers pages for ever is not waited for: each ends further on, and the next begins there.
    if (last === undefined || !(last > from)) throw new TypeError('The pages do not go on.');
    from = last;
  }
}

class Lookahead<Item> {
  readonly #items: AsyncGenerator<Item>;
  #next: Promise<IteratorResult<Item>> | undefined;

  constructor(items: AsyncGenerator<Item>) {
    this.#items = items;
  }

  async peek(): Promise<Item | undefined> {
    this.#next ??= this.#items.next();
    const { done, value } = await this.#next;
    return done ? undefined : value;
  }

  skip(): void {
    this.#next = undefined;
  }
}
