/** Whether response times tell an id of another client from an id that does not exist: both requests take turns. */
import { randomBytes } from 'node:crypto';
import type { OwnStack } from '../support/own-stack.ts';
import { number, type Section } from './report.ts';
import { type Home, newHomes, requestBy, startService } from './service.ts';
import { Sessions } from './sessions.ts';
import type { Workerd } from './workerd.ts';

/** The number of ids of others. The same number of ids that do not exist is requested. */
const VICTIMS = 8;
const SHUFFLES = 2_000;
/** The share of false alarms: two requests that take the same time seem different once in a thousand runs. */
const NOTICEABLE = 0.001;

interface Ids {
  readonly clientId: string;
  readonly botId: string;
}
interface Ask {
  readonly method: string;
  readonly path: (ids: Ids) => string;
  readonly body?: object;
  readonly runner?: true;
}

const ASKED: Readonly<Record<string, Ask>> = {
  'GET /clients/{id}': { method: 'GET', path: ({ clientId }) => `/clients/${clientId}` },
  'GET /clients/{id}/trading-key': {
    method: 'GET',
    path: ({ clientId }) => `/clients/${clientId}/trading-key`,
  },
  'DELETE /clients/{id}/revoke-key': {
    method: 'DELETE',
    path: ({ clientId }) => `/clients/${clientId}/revoke-key`,
  },
  'GET /bots/{id}': { method: 'GET', path: ({ botId }) => `/bots/${botId}` },
  'POST /bots/{id}/stop': { method: 'POST', path: ({ botId }) => `/bots/${botId}/stop` },
  'PUT /bots/{id}/policy': { method: 'PUT', path: ({ botId }) => `/bots/${botId}/policy`, body: {} },
  'POST /bots/{id}/sign': {
    method: 'POST',
    path: ({ botId }) => `/bots/${botId}/sign`,
    body: { type: 'evm.message', message: 'x' },
    runner: true,
  },
};

export async function otherIds(stack: OwnStack, { rounds }: { readonly rounds: number }): Promise<Section> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 2);
  const encryptionKey = randomBytes(32).toString('base64');
  const worker = await startService(stack, encryptionKey);
  try {
    const [thief, ...foreign] = await newHomes(sessions, stack, encryptionKey, 1 + VICTIMS);
    if (!thief) throw new TypeError('unreachable: clients were requested');
    // As similar as possible: from the same milliseconds, with only the last digits different.
    const absent = foreign.map(({ clientId, botId }) => ({
      clientId: clientId.slice(0, -12) + randomBytes(6).toString('hex'),
      botId: botId.slice(0, -12) + randomBytes(6).toString('hex'),
    }));
    const found = [];
    for (const [line, ask] of Object.entries(ASKED))
      found.push({ line, ...(await compare(worker, thief, ask, { foreign, absent }, rounds * 20)) });
    const told = found.filter(({ p }) => p < NOTICEABLE);
    return {
      tables: [
        {
          title: 'Ids of others beside ids that do not exist',
          note: `Medians in milliseconds of ${rounds * 20} requests with each, in random order; p from ${SHUFFLES} random permutations of the labels: how often chance alone makes the medians differ this much.`,
          columns: ['request', 'of another', 'absent', 'p'],
          rows: found.map(({ line, medians, p }) => [line, ...medians.map((ms) => number(ms)), p.toFixed(4)]),
        },
      ],
      verdicts: [
        {
          target: `no request reveals by its time whether an id belongs to another client (p < ${NOTICEABLE})`,
          measured: told.length === 0 ? 'none does' : told.map(({ line }) => line).join(', '),
          met: told.length === 0,
        },
      ],
    };
  } finally {
    await worker.stop();
    await sessions.end();
  }
}

async function compare(
  worker: Workerd,
  thief: Home,
  { method, path, body, runner }: Ask,
  ids: { readonly foreign: readonly Ids[]; readonly absent: readonly Ids[] },
  each: number,
) {
  const took = async ({ clientId, botId }: Ids) => {
    const began = performance.now();
    const status = await worker.request(
      requestBy(runner ? thief.machineToken : thief.session, method, path({ clientId, botId }), body),
    );
    if (status !== 404) throw new Error(`${method} returned ${status}`);
    return performance.now() - began;
  };
  const times: { readonly isForeign: boolean; readonly ms: number }[] = [];
  const turns = shuffled([...Array(2 * each).keys()].map((n) => ({ isForeign: n < each, of: n % VICTIMS })));
  for (const { isForeign, of } of [...turns.slice(0, VICTIMS), ...turns]) {
    const asked = (isForeign ? ids.foreign : ids.absent)[of];
    if (asked) times.push({ isForeign, ms: await took(asked) });
  }
  // The first requests opened connections.
  times.splice(0, VICTIMS);
  const labels = times.map(({ isForeign }) => isForeign);
  const all = times.map(({ ms }) => ms);
  const medians = mediansBy(labels, all);
  const apart = Math.abs(medians[0] - medians[1]);
  let asFar = 0;
  for (let n = 0; n < SHUFFLES; n++) {
    const [one, other] = mediansBy(shuffled(labels), all);
    if (Math.abs(one - other) >= apart) asFar++;
  }
  return { medians, p: (asFar + 1) / (SHUFFLES + 1) };
}

function mediansBy(labels: readonly boolean[], times: readonly number[]): [foreign: number, absent: number] {
  return [median(times.filter((_, n) => labels[n])), median(times.filter((_, n) => !labels[n]))];
}

function median(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}

/** The Fisher-Yates shuffle. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(Math.floor(Math.random() * rest.length), 1));
}
