/** The edge half: what a route costs above an empty one, and an operation above its cryptography. */
import { type Bundle, buildBundle } from '../support/bundle.ts';
import type { OwnStack } from '../support/own-stack.ts';
import type { Request } from './connection.ts';
import { burst } from './load.ts';
import { ratios, summaryOf } from './measure.ts';
import { cpuMs } from './processes.ts';
import { number, type Section, type Table, times, type Verdict } from './report.ts';
import { type EdgeSamples, edgeSamples, newEvmKey, newSolanaKey } from './samples.ts';
import { Sessions } from './sessions.ts';
import { Workerd } from './workerd.ts';

export interface EdgeOptions {
  readonly rounds: number;
}

const CONNECTIONS = 8;
const REQUESTS = 300;
/** Unmeasured calls of each route, so that the compiler has optimised it before measuring starts. */
const WARM_UP = 1000;

export async function edge(stack: OwnStack, options: EdgeOptions): Promise<Section> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 2);
  const running: Workerd[] = [];
  const start = async (...args: Parameters<typeof Workerd.start>) => {
    const worker = await Workerd.start(...args);
    running.push(worker);
    return worker;
  };
  try {
    const bundle = buildBundle();
    // Its own address is in the tokens that it receives, so it starts twice.
    const responderBundle = buildBundle('test/bench/workers/responder.ts');
    const place = await start(responderBundle, { ANSWERS: '{}', JWKS: '{}' });
    const samples = await edgeSamples(sessions, stack, place.url);
    await place.stop();
    running.pop();
    const port = Number(new URL(place.url).port);
    const responder = await start(
      responderBundle,
      { ANSWERS: JSON.stringify(samples.answers), JWKS: samples.jwks },
      '/',
      port,
    );
    const bindings = {
      SUPABASE_URL: responder.url,
      SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
      EDGE_TOKEN: stack.edgeToken,
      SUPABASE_JWT_SECRET: stack.jwtSecret,
      ENCRYPTION_KEY: samples.encryptionKey,
    };
    const worker = await start(bundle, bindings, '/health');
    const empty = await start(buildBundle('test/bench/workers/empty.ts'), {}, '/empty');
    const bareBundle = buildBundle('test/bench/workers/bare-routes.ts');
    const bare = await start(bareBundle, { ...bindings, CURVES: 'all' }, '/health');
    const curveless = await start(bareBundle, { ...bindings, CURVES: 'none' }, '/health');
    const operations = await start(
      buildBundle('test/bench/workers/operations.ts'),
      { ...bindings, SAMPLES: JSON.stringify(samples.operations) },
      '/',
    );
    const work = await operationTable(operations, options);
    const routes = await routeTable(
      { worker, empty, responder, bare, curveless },
      samples,
      work.cpu,
      options,
    );
    return {
      tables: [routes.table, work.table],
      verdicts: [...routes.verdicts, ...work.verdicts, bundleVerdict(bundle)],
    };
  } finally {
    await Promise.all(running.map((worker) => worker.stop()));
    await sessions.end();
  }
}

export function bundleVerdict({ bytes, gzipBytes }: Bundle): Verdict {
  return {
    target: 'the Worker has at most 130 KiB of JavaScript, minified and compressed',
    measured: `${number(gzipBytes / 1024)} KiB (${number(bytes / 1024)} KiB before compression)`,
    met: gzipBytes <= 130 * 1024,
  };
}

interface Route {
  readonly name: string;
  readonly request: Request;
  readonly status?: number;
  readonly kind: 'read' | 'key write' | 'write' | 'sign';
  /** No bare route contains signing. This operation is timed in a loop, and its time is subtracted from the service's. */
  readonly curves?: string;
}

function routesOf({ clientId, botId, machineToken, operations }: EdgeSamples): Route[] {
  const by = (token: string, method: string, path: string, body?: object): Request => ({
    method,
    path,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const session = (method: string, path: string, body?: object) =>
    by(operations.hs256[0] ?? '', method, path, body);
  const signing = Object.entries(operations.requests).map(
    ([kind, request]): Route => ({
      name: `POST /bots/{id}/sign ${kind}`,
      request: by(machineToken, 'POST', `/bots/${botId}/sign`, request),
      kind: 'sign',
      curves: `bare sign and check ${kind}`,
    }),
  );
  return [
    { name: 'GET /health', request: { path: '/health' }, kind: 'read' },
    { name: 'GET /clients/me', request: session('GET', '/clients/me'), kind: 'read' },
    {
      name: 'GET /clients/me, ES256',
      request: by(operations.es256[0] ?? '', 'GET', '/clients/me'),
      kind: 'read',
    },
    {
      name: 'GET /clients/{id}/trading-key',
      request: session('GET', `/clients/${clientId}/trading-key`),
      kind: 'read',
    },
    { name: 'GET /clients/{id}/bots', request: session('GET', `/clients/${clientId}/bots`), kind: 'read' },
    {
      name: 'GET /clients/{id}/bot-options',
      request: session('GET', `/clients/${clientId}/bot-options`),
      kind: 'read',
    },
    { name: 'GET /bots/{id}', request: session('GET', `/bots/${botId}`), kind: 'read' },
    { name: 'GET /bots/{id}/policy', request: session('GET', `/bots/${botId}/policy`), kind: 'read' },
    { name: 'GET /runner/bots', request: by(machineToken, 'GET', '/runner/bots'), kind: 'read' },
    {
      name: 'POST /bots/{id}/heartbeat',
      request: by(machineToken, 'POST', `/bots/${botId}/heartbeat`, { status: 'ok' }),
      kind: 'write',
    },
    {
      name: 'POST /clients/{id}/setup-bot',
      request: session('POST', `/clients/${clientId}/setup-bot`, {
        bot_type: 'evm-grid',
        private_key: newEvmKey(),
      }),
      status: 201,
      kind: 'key write',
    },
    {
      name: 'PUT /clients/{id}/rotate-key, EVM',
      request: session('PUT', `/clients/${clientId}/rotate-key`, { private_key: newEvmKey() }),
      kind: 'key write',
    },
    {
      name: 'PUT /clients/{id}/rotate-key, Solana',
      request: session('PUT', `/clients/${clientId}/rotate-key`, {
        private_key: newSolanaKey(),
        chain: 'solana',
      }),
      kind: 'key write',
    },
    {
      name: 'DELETE /clients/{id}/revoke-key',
      request: session('DELETE', `/clients/${clientId}/revoke-key`),
      kind: 'write',
    },
    ...signing,
  ];
}

interface Runtimes {
  readonly worker: Workerd;
  readonly empty: Workerd;
  readonly responder: Workerd;
  readonly bare: Workerd;
  /** `bare` without deriving addresses. */
  readonly curveless: Workerd;
}

interface Series {
  readonly perSecond: number[];
  readonly cpu: number[];
}

async function routeTable(
  { worker, empty, responder, bare, curveless }: Runtimes,
  samples: EdgeSamples,
  operations: ReadonlyMap<string, number>,
  { rounds }: EdgeOptions,
) {
  const routes = routesOf(samples);
  const measured = new Map<string, Series>();
  const of = (name: string) => measured.get(name) ?? { perSecond: [], cpu: [] };
  const rpc = { method: 'POST', path: '/rest/v1/rpc/get_bot', body: '{}' };
  for (let round = -1; round < rounds; round++) {
    const measure = async (name: string, worker: Workerd, request: Request, status = 200) => {
      const requests = round < 0 ? WARM_UP : REQUESTS;
      const { perSecond, cpu } = await burst(worker, request, { requests, connections: CONNECTIONS, status });
      if (round < 0) return;
      measured.set(name, { perSecond: [...of(name).perSecond, perSecond], cpu: [...of(name).cpu, cpu] });
    };
    await measure('empty', empty, { path: '/empty' });
    await measure('responder', responder, rpc);
    for (const { name, request, status, kind } of routes) {
      await measure(name, worker, request, status);
      await measure(`bare ${name}`, bare, request, status);
      if (kind === 'key write') await measure(`curveless ${name}`, curveless, request, status);
    }
  }

  /** By route: its time without curves, the time of its bare route without curves, and the time that was subtracted. */
  const compared = (route: Route) => {
    const [whole, base] = [of(route.name).cpu, of(`bare ${route.name}`).cpu];
    const left = route.kind === 'key write' ? of(`curveless ${route.name}`).cpu : base;
    const signing = operations.get(route.curves ?? '') ?? 0;
    const curves = base.map((cpu, round) => cpu - (left[round] ?? Number.NaN) + signing);
    const ours = whole.map((cpu, round) => cpu - (curves[round] ?? Number.NaN));
    return { curves, left, ratio: ratios(ours, left), ofEmpty: ratios(ours, of('empty').cpu) };
  };
  const row = (route: Route) => {
    const { curves, left, ratio, ofEmpty } = compared(route);
    return [
      route.name,
      summaryOf(of(route.name).perSecond).median,
      summaryOf(of(route.name).cpu),
      route.kind === 'key write' || route.kind === 'sign' ? summaryOf(curves).median : '',
      summaryOf(left),
      times(ratio),
      times(ofEmpty),
    ];
  };
  const alone = (name: string) => [
    name,
    summaryOf(of(name).perSecond).median,
    summaryOf(of(name).cpu),
    '',
    '',
    '',
    times(ratios(of(name).cpu, of('empty').cpu)),
  ];
  const verdict = (
    what: string,
    kind: Route['kind'],
    limit: number,
    against: 'ratio' | 'ofEmpty',
  ): Verdict => {
    const worst = routes
      .filter((route) => route.kind === kind && route.name !== 'GET /health')
      .map((route) => ({ name: route.name, times: compared(route)[against].median }))
      .toSorted((one, other) => other.times - one.times)[0] ?? { name: '', times: Number.NaN };
    const base = against === 'ratio' ? 'the bare route' : '"empty"';
    return {
      target: `${what} take at most ${limit} times the processor time of ${base}${kind === 'key write' ? ', apart from the work by curves' : ''}`,
      measured: `at worst ${number(worst.times)} times (${worst.name})`,
      met: worst.times <= limit,
    };
  };
  const table: Table = {
    title: 'Routes',
    note: `The production bundle in plain workerd; the database API is a second workerd that returns recorded responses of the real
functions (its own limit is in the table). ${CONNECTIONS} connections from one Node process, which also uses a processor,
so requests a second are a lower bound. Processor time is that of the Worker's process alone. "Bare" is what no implementation
can do without: Hono with the same request, the same call of the database API with the same headers and arguments, and its
JSON passed on; for a private key its bytes, its address and two layers of AES-GCM in the
call. The bare route does not verify, validate, limit or log anything, and sends no header for browsers. "Curves" is
subtracted from both: on a route that accepts a key, the time to derive its address in the bare route (measured by a bare route
without it); on a signing route, signing and its check in a loop, which the bare route leaves out with all other signing work. One
session sends all requests, so its token is verified once and then cached; the time of a verification is below.`,
    columns: ['route', 'requests/s', 'µs CPU', 'µs curves', 'µs bare', 'of bare', 'of empty'],
    rows: [alone('empty'), alone('responder'), ...routes.map(row)],
  };
  return {
    table,
    verdicts: [
      verdict('reads', 'read', 1.5, 'ofEmpty'),
      verdict('reads', 'read', 1.5, 'ratio'),
      verdict('key writes', 'key write', 2, 'ofEmpty'),
      verdict('key writes', 'key write', 2, 'ratio'),
    ],
  };
}

const SIGNED = ['evm.message', 'evm.transaction', 'evm.typed_data', 'solana.transaction'];

const PAIRS: readonly [operation: string, bare: string][] = [
  ['seal', 'bare seal'],
  ['open', 'bare open'],
  ['verify HS256', 'bare verify HS256'],
  ['verify ES256', 'bare verify ES256'],
  ['verify HS256 again', 'bare verify HS256'],
  ['verify ES256 again', 'bare verify ES256'],
  ...SIGNED.flatMap((kind): [string, string][] => [
    [`sign ${kind}`, `bare sign ${kind}`],
    [`sign ${kind}`, `bare hash, sign and check ${kind}`],
  ]),
];
/** Curves alone: the time that is subtracted where a route is compared with one that has no curves. */
const ALONE = SIGNED.map((kind) => `bare sign and check ${kind}`);

async function operationTable(worker: Workerd, { rounds }: EdgeOptions) {
  const names = [...new Set([...PAIRS.flat(), ...ALONE])];
  const series = new Map<string, number[]>();
  for (let round = -1; round < rounds; round++) {
    for (const op of ['nothing', ...names]) {
      const times = /sign|derive/.test(op) ? 40 : 300;
      const before = cpuMs(worker.pid);
      const status = await worker.request({ path: `/?op=${encodeURIComponent(op)}&n=${times}` });
      if (status !== 200) throw new Error(`The operation ${op} returned ${status}`);
      const each = ((cpuMs(worker.pid) - before) * 1000) / times;
      if (round >= 0) series.set(op, [...(series.get(op) ?? []), each]);
    }
  }
  const of = (name: string) => series.get(name) ?? [];
  const table: Table = {
    title: 'Operations of the edge',
    note: `Microseconds of processor time in workerd. Bare: the same primitives of Web Crypto or the curve alone, with no
token, header or JSON around them. "Hash, sign and check" is what every signing service must do: open both layers of
AES-GCM, hash the parsed request (EIP-191, EIP-712, RLP), import and sign, verify the signature, because a faulty signature can
reveal the key, and write the response. "Again": the same isolate has verified the token before.`,
    columns: ['operation', 'µs', 'bare', 'µs bare', 'ratio'],
    rows: PAIRS.map(([operation, bare]) => [
      operation,
      summaryOf(of(operation)),
      bare,
      summaryOf(of(bare)),
      times(ratios(of(operation), of(bare))),
    ]),
  };
  const worst = (prefix: string) =>
    PAIRS.filter(
      ([operation, bare]) => operation.startsWith('sign ') && bare === `${prefix} ${operation.slice(5)}`,
    )
      .map(([operation, bare]) => ({ operation, ...ratios(of(operation), of(bare)) }))
      .toSorted((one, other) => other.median - one.median)[0];
  const verdicts = ['bare sign', 'bare hash, sign and check'].map((bare): Verdict => {
    const { operation = '', median = Number.NaN } = worst(bare) ?? {};
    return {
      target: `opening, reading and signing take at most 1.3 times a bare decrypt and sign${bare === 'bare sign' ? '' : ', with hashing and the check of the signature'}`,
      measured: `at worst ${number(median)} times (${operation})`,
      met: median <= 1.3,
    };
  });
  return { table, verdicts, cpu: new Map(names.map((name) => [name, summaryOf(of(name)).median])) };
}
