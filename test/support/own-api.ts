/** The database API as a process of its own, which is restarted when it ends, as under any process manager. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { firstMessage } from './own-stack.ts';

export interface OwnApi {
  readonly url: string;
  /** Sends SIGKILL. Resolves when the API responds again. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnApi(of: {
  databaseUrl: string;
  jwtSecret: string;
  publishableKey: string;
  /** Connections of the REST API; the default is 20. */
  poolSize?: number;
}): Promise<OwnApi> {
  let port = 0;
  let child: ChildProcess;
  let wanted = true;
  let up = Promise.withResolvers<void>();

  async function start(): Promise<void> {
    child = fork(join(import.meta.dirname, 'api-process.ts'), {
      silent: true,
      env: {
        ...process.env,
        DATABASE_URL: of.databaseUrl,
        JWT_SECRET: of.jwtSecret,
        PUBLISHABLE_KEY: of.publishableKey,
        PORT: String(port),
        ...(of.poolSize !== undefined && { POOL_SIZE: String(of.poolSize) }),
      },
    });
    const started = firstMessage<{ port: number }>(child).catch(() => undefined);
    child.once('exit', () => {
      up = Promise.withResolvers();
      if (wanted) void wait(300).then(start);
    });
    const message = await started;
    if (message === undefined) return;
    ({ port } = message);
    up.resolve();
  }
  const end = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };

  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    async kill() {
      await end();
      await up.promise;
    },
    async stop() {
      wanted = false;
      await end();
    },
  };
}
