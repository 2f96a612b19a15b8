/**
 * What `wrangler dev` runs, without its inspector: that listens on a port which any web page of this machine's
 * browser could ask for a snapshot of the Worker's memory, master key and all.
 * Settings come by message; when the program that started this is gone, however it went, this leaves too.
 */
import { unstable_startWorker } from 'wrangler';

export interface WorkerProcessOptions {
  readonly config: string;
  readonly port: number;
  readonly persist: string;
  readonly settings: Readonly<Record<string, string>>;
  /** How often the cron of wrangler.toml is run: nothing else does so on one machine. */
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
    // What goes wrong within a run, the run itself logs. (`worker.scheduled` does not find the Worker by its name.)
    worker
      .fetch('http://127.0.0.1/cdn-cgi/local/scheduled')
      .then((response) => response.arrayBuffer())
      .catch((error: Error) => process.stderr.write(`The cron could not be run: ${error.message}\n`));
  }, cronEveryMs);
});
