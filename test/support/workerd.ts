/**
 * The Worker as it is deployed, in the plain runtime: the bundle that `wrangler deploy` would upload, served by the
 * `workerd` that wrangler installs. It is one process, which can be measured and killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const ROOT = join(import.meta.dirname, '..', '..');
const wrangler = createRequire(createRequire(import.meta.url).resolve('wrangler'));
const WRANGLER = join(dirname(wrangler.resolve('../package.json')), 'bin', 'wrangler.js');
const WORKERD: string = wrangler('workerd').default;

export interface Bundle {
  readonly directory: string;
  remove(): void;
}

/** Bundles the Worker of `wrangler.toml`, or another entry in the same way. */
export async function bundle(entry?: string): Promise<Bundle> {
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-bundle-'));
  const build = spawn(
    process.execPath,
    [WRANGLER, 'deploy', ...(entry === undefined ? [] : [entry]), '--dry-run', '--outdir', directory],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        CI: 'true',
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        WRANGLER_SEND_METRICS: 'false',
      },
    },
  );
  let output = '';
  for (const stream of [build.stdout, build.stderr]) stream.on('data', (text) => (output += text));
  const code = await new Promise((resolve) => build.once('close', resolve));
  if (code !== 0) throw new Error(`wrangler deploy --dry-run failed:\n${output}`);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export interface Served {
  readonly url: URL;
  readonly pid: number;
  /** The port of the inspector, if one was requested. */
  readonly inspectorPort: number | undefined;
  /** The output of the process, for the leak scan. */
  output(): string;
  /** SIGKILL by default: the process cannot finish anything. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ServeOptions {
  readonly inspector?: boolean;
}

/** Serves a bundle on a free port. Its settings are passed in the environment and never written to a file. */
export async function serve(
  { directory }: Bundle,
  settings: Readonly<Record<string, string>>,
  { inspector = false }: ServeOptions = {},
): Promise<Served> {
  const config = join(directory, `config-${crypto.randomUUID()}.capnp`);
  writeFileSync(config, configuration(modulesOf(directory), Object.keys(settings)));
  const child: ChildProcess = spawn(
    WORKERD,
    ['serve', config, '--control-fd=3', ...(inspector ? ['--inspector-addr=127.0.0.1:0'] : [])],
    { env: { ...settings }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(String(data)));

  const ports = new Map<string, number>();
  const wanted = inspector ? 2 : 1;
  await new Promise<void>((resolve, reject) => {
    void ended.then(() => reject(new Error(`workerd does not start:\n${output.join('')}`)));
    createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
      const event = JSON.parse(line) as { event: string; socket?: string; port?: number };
      if (event.port !== undefined) ports.set(event.socket ?? 'inspector', event.port);
      if (ports.size === wanted) resolve();
    });
  });
  return {
    url: new URL(`http://127.0.0.1:${ports.get('http')}`),
    pid: child.pid ?? 0,
    inspectorPort: ports.get('inspector'),
    output: () => output.join(''),
    async stop(signal = 'SIGKILL') {
      process.off('exit', killWithUs);
      child.kill(signal);
      await ended;
    },
  };
}

/** The bundle, which wrangler names after its entry, and the WebAssembly that it imports. */
function modulesOf(directory: string): readonly string[] {
  const files = readdirSync(directory);
  const script = files.find((file) => file.endsWith('.js'));
  if (script === undefined) throw new Error(`no bundle in ${directory}`);
  const wasm = files.filter((file) => file.endsWith('.wasm'));
  return [
    `(name = "worker", esModule = embed "${script}")`,
    ...wasm.map((file) => `(name = "${file}", wasm = embed "${file}")`),
  ];
}

function configuration(modules: readonly string[], settings: readonly string[]): string {
  const [, date] =
    /^compatibility_date = "(.+)"$/m.exec(readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')) ?? [];
  const bindings = settings.map((name) => `(name = "${name}", fromEnvironment = "${name}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "network", network = (allow = ["private", "public"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${modules.join(', ')}],
  compatibilityDate = "${date}",
  bindings = [${bindings.join(', ')}],
  globalOutbound = "network",
);
`;
}
