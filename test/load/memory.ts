/** What the Worker's process takes of the machine's memory, and its isolate of the heap. */
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
 * The heap in use after a collection, in MiB, by the runtime's inspector. What hangs on I/O and timers goes later,
 * so that single figures differ by some MiB and only the least of several says what stays.
 */
export async function heapMib(inspectorPort: number): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${inspectorPort}/main`);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('no inspector')), { once: true });
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
      socket.addEventListener('close', () => reject(new Error('the inspector is gone')), { once: true });
      ask('HeapProfiler.enable');
      const collected = ask('HeapProfiler.collectGarbage');
      // Asked again and again: workerd sends an answer once it is asked the next thing.
      const asking = setInterval(() => ask('Runtime.getHeapUsage'), 200);
      socket.addEventListener('close', () => clearInterval(asking), { once: true });
    });
  } finally {
    socket.close();
  }
}
