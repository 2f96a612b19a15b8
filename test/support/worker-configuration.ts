/** The deployed `wrangler.toml`, with other rate limits or without any. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface WorkerConfiguration {
  readonly path: string;
  readonly remove: () => void;
}

const RATE_LIMIT = /\[\[ratelimits\]\]\nname = "(\w+)"\n(.*)\nsimple = .*\n/g;

export function workerConfiguration({
  limits = {},
}: {
  readonly limits?: Readonly<Record<string, number>>;
} = {}): WorkerConfiguration {
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-worker-'));
  const path = join(directory, 'wrangler.toml');
  const text = readFileSync('wrangler.toml', 'utf8')
    .replaceAll(/"(?:\.\/)?(src\/[\w/-]+\.ts|public)"/g, (_, path: string) => JSON.stringify(resolve(path)))
    .replace(RATE_LIMIT, (_, name: string, namespace: string) =>
      limits[name] === undefined
        ? ''
        : `[[ratelimits]]\nname = "${name}"\n${namespace}\nsimple = { limit = ${limits[name]}, period = 60 }\n`,
    );
  writeFileSync(path, text);
  return { path, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
