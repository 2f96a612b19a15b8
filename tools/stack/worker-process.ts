/**
 * Runs the same runtime as `wrangler dev`, but without its inspector. The inspector listens on a port from which any
 * web page in a browser on this machine could download the memory of the Worker, including the master key. The settings
 * arrive in a message. If the program that started this process ends for any reason, this process ends too.
 */
import { unstable_startWorker } from 'wrangler';

export interface WorkerProcessOptions {
  readonly config: string;
  readonly port: number;
  readonly persist: string;
  readonly settings: Readonly<Record<string, string>>;
  /** How often to run the cron trigger of wrangler.toml. On a local machine nothing else runs it. */
  readonly cronEveryMs: number;
}

process.once('message', async ({ config, port, persist, settings, cronEveryMs }: WorkerProcessOptions) => {
  const bindings = Object.entries(settings).map(
    ([name, value]) => [name, { type: 'secret_text', value }] as const,
  );
  const worker = await unstable_startWorker({
    config,
    bindings: Object.fromEntries(bindings),
    dev: { server: { hostname: '127.0.0.1', port }, inspector: false, persist, watch: true, logLevel: 'log' },
  });
  const leave = () => worker.dispose().finally(() => process.exit());
  process.once('disconnect', leave);
  process.once('SIGTERM', leave);
  await worker.ready;
  setInterval(() => {
    // A run logs its own errors. (`worker.scheduled` does not find the Worker by its name.)
    worker
      .fetch('http://127.0.0.1/cdn-cgi/local/scheduled')
      .then((response) => response.arrayBuffer())
      .catch((error: Error) => process.stderr.write(`The cron trigger could not be run: ${error.message}\n`));
  }, cronEveryMs);
});
