/** Load from this process: each connection sends its next request when the last one was answered. */
import { Connection, type Request } from './connection.ts';
import { cpuMs } from './processes.ts';
import type { Workerd } from './workerd.ts';

export interface LoadOptions {
  readonly requests: number;
  readonly connections: number;
  /** The status that every response must have. */
  readonly status?: number;
}

export interface Load {
  readonly perSecond: number;
  /** Milliseconds of each request. */
  readonly latencies: readonly number[];
}

/** @param requestOf the request of each number from 0 */
export async function load(
  url: string,
  requestOf: (n: number) => Request,
  { requests, connections, status = 200 }: LoadOptions,
): Promise<Load> {
  const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(url)));
  const latencies: number[] = [];
  let next = 0;
  const began = performance.now();
  try {
    await Promise.all(
      opened.map(async (connection) => {
        while (next < requests) {
          const request = requestOf(next++);
          const sent = performance.now();
          const response = await connection.send(request);
          latencies.push(performance.now() - sent);
          if (response.status === status) continue;
          throw new Error(
            `${request.method ?? 'GET'} ${request.path} returned ${response.status}: ${response.body}`,
          );
        }
      }),
    );
  } finally {
    for (const connection of opened) connection.close();
  }
  return { perSecond: requests / ((performance.now() - began) / 1000), latencies };
}

export interface Burst {
  readonly perSecond: number;
  /** Processor time of the runtime alone, in microseconds a request. */
  readonly cpu: number;
}

/** Sends the same request many times. */
export async function burst(worker: Workerd, request: Request, options: LoadOptions): Promise<Burst> {
  const before = cpuMs(worker.pid);
  const { perSecond } = await load(worker.url, () => request, options);
  return { perSecond, cpu: ((cpuMs(worker.pid) - before) * 1000) / options.requests };
}
