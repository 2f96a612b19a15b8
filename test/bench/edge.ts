/** The edge half: what a route costs above an empty one, and an operation above its cryptography. */
import { type Bundle, buildBundle } from '../support/bundle.ts';
import type { OwnStack } from '../support/own-stack.ts';
import { operationTable } from './edge-operations.ts';
import { routeTable } from './edge-routes.ts';
import { firstKeys } from './first-keys.ts';
import { number, type Section, type Verdict } from './report.ts';
import { edgeSamples } from './samples.ts';
import { Sessions } from './sessions.ts';
import { Workerd } from './workerd.ts';

export interface EdgeOptions {
  readonly rounds: number;
}

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
    const first = await firstKeys(() => Workerd.start(bundle, bindings, '/health'), samples, options);
    return {
      tables: [routes.table, work.table, first.table],
      verdicts: [...routes.verdicts, ...work.verdicts, ...first.verdicts, bundleVerdict(bundle)],
    };
  } finally {
    await Promise.all(running.map((worker) => worker.stop()));
    await sessions.end();
  }
}

export function bundleVerdict({ bytes, gzipBytes }: Bundle): Verdict {
  return {
    target: 'the Worker has at most 140 KiB of JavaScript, minified and compressed',
    measured: `${number(gzipBytes / 1024)} KiB (${number(bytes / 1024)} KiB before compression)`,
    met: gzipBytes <= 140 * 1024,
  };
}
