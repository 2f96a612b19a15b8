/** The Worker as `npm run deploy` would upload it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Bundle {
  readonly code: string;
  /** The WebAssembly modules that the code imports, by file name. */
  readonly modules: Readonly<Record<string, Buffer>>;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** The files in the bundle, by path, with the bytes of each. */
  readonly parts: Readonly<Record<string, number>>;
}

interface Metafile {
  readonly outputs: Readonly<Record<string, { inputs: Record<string, { bytesInOutput: number }> }>>;
}

/** Bundles as `wrangler.toml` says, with `entry` in place of the Worker's own entry. */
export function buildBundle(entry?: string): Bundle {
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-bundle-'));
  try {
    const { status, stderr } = spawnSync(
      'wrangler',
      ['deploy', ...(entry ? [entry] : []), '--dry-run', '--outdir', directory, '--metafile'],
      {
        cwd: ROOT,
        encoding: 'utf8',
        env: {
          ...process.env,
          PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}`,
          WRANGLER_SEND_METRICS: 'false',
          WRANGLER_LOG_PATH: join(directory, 'logs'),
          CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        },
      },
    );
    if (status !== 0) throw new Error(`The Worker does not bundle:\n${stderr}`);
    const name = entry ? entry.replace(/^.*\//, '').replace(/\.ts$/, '.js') : 'index.js';
    const code = readFileSync(join(directory, name));
    const { outputs } = JSON.parse(readFileSync(join(directory, 'bundle-meta.json'), 'utf8')) as Metafile;
    const parts = Object.entries(outputs).find(([path]) => path.endsWith(name))?.[1].inputs ?? {};
    const modules = readdirSync(directory).filter((file) => file.endsWith('.wasm'));
    return {
      code: code.toString(),
      modules: Object.fromEntries(modules.map((file) => [file, readFileSync(join(directory, file))])),
      bytes: code.length,
      gzipBytes: gzipSync(code).length,
      parts: Object.fromEntries(Object.entries(parts).map(([path, part]) => [path, part.bytesInOutput])),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
