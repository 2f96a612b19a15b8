/** The memory of the Worker's process, and the heap of its isolate. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Sample {
  readonly seconds: number;
  readonly mib: number;
}

/** Resident set size, in MiB. */
export function residentMib(pid: number): number {
  if (process.platform === 'linux') {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) / 1024;
  }
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

/** MiB a minute, by least squares. */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const seconds = mean(samples.map((sample) => sample.seconds));
  const mib = mean(samples.map((sample) => sample.mib));
  const over = samples.reduce((sum, sample) => sum + (sample.seconds - seconds) * (sample.mib - mib), 0);
  const under = samples.reduce((sum, sample) => sum + (sample.seconds - seconds) ** 2, 0);
  return under === 0 ? 0 : (over / under) * 60;
}

/**
 * The heap in use after a garbage collection, in MiB, from the runtime's inspector. Objects that I/O and timers refer to are
 * freed later, so single figures differ by some MiB, and only the lowest of several shows what stays.
 */
export async function heapMib(inspectorPort: number): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${inspectorPort}/main`);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('inspector unreachable')), { once: true });
  });
  let id = 0;
  const ask = (method: string) => {
    id += 1;
    socket.send(JSON.stringify({ id, method }));
    return id;
  };
  try {
    return await new Promise((resolve, reject) => {
      socket.addEventListener('message', ({ data }) => {
        const { id: answered, result } = JSON.parse(String(data));
        if (answered > collected) resolve(result.usedSize / 1024 / 1024);
      });
      socket.addEventListener('close', () => reject(new Error('inspector disconnected')), { once: true });
      ask('HeapProfiler.enable');
      const collected = ask('HeapProfiler.collectGarbage');
      // Sent repeatedly: workerd sends a response only when it gets the next request.
      const asking = setInterval(() => ask('Runtime.getHeapUsage'), 200);
      socket.addEventListener('close', () => clearInterval(asking), { once: true });
    });
  } finally {
    socket.close();
  }
}
