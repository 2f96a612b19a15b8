/** Processor time of processes, from Linux's /proc. On other systems it is 0. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const MS_PER_TICK = 10;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process or thread has ended.
  }
};

const list = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);

/** Milliseconds that the threads of a process have run. */
export function cpuMs(pid: number): number {
  const threads = list(`/proc/${pid}/task`).map((task) => read(`/proc/${pid}/task/${task}/schedstat`));
  return threads.reduce((sum, text) => sum + Number(text.split(' ', 1)[0]) / 1e6, 0);
}

/** The fields of /proc/PID/stat from the state on, which is the third (proc(5)). */
const statOf = (pid: number): string[] => {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** The same for a process and its children, such as the connections of PostgreSQL, those that have ended included. */
export function familyCpuMs(pid: number): number {
  const children = list('/proc').filter(
    (name) => /^\d+$/.test(name) && Number(statOf(Number(name))[1]) === pid,
  );
  const [user = 0, system = 0] = statOf(pid).slice(13, 15).map(Number);
  return [pid, ...children.map(Number)].reduce((sum, one) => sum + cpuMs(one), (user + system) * MS_PER_TICK);
}

/** Ends a child when this process ends, also if the person at the terminal interrupts it. */
export function endWithThisProcess(child: ChildProcess): void {
  const end = () => void child.kill();
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
}
