/** The ports on which a process and its descendants listen, read from Linux's /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

interface Process {
  readonly pid: string;
  readonly parent: string;
}

/** TCP ports on which `root` or a descendant of it listens. */
export function listeningPorts(root: number): number[] {
  const ports = new Map(
    readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === '0A')
      .map(([, local = '', , , , , , , , inode]) => [
        `socket:[${inode}]`,
        Number.parseInt(local.split(':')[1] ?? '', 16),
      ]),
  );
  return [...family(String(root))].flatMap((pid) =>
    namesIn(`/proc/${pid}/fd`).flatMap((fd) => ports.get(linkOf(`/proc/${pid}/fd/${fd}`)) ?? []),
  );
}

function family(root: string): Set<string> {
  const processes: Process[] = namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, parent: parentOf(pid) }));
  const found = new Set([root]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const { pid, parent } of processes) if (found.has(parent)) found.add(pid);
  }
  return found;
}

/** Processes and files can disappear while they are read. */
function orNothing<Value>(look: () => Value, nothing: Value): Value {
  try {
    return look();
  } catch {
    return nothing;
  }
}

const namesIn = (path: string) => orNothing(() => readdirSync(path), []);
const linkOf = (path: string) => orNothing(() => readlinkSync(path), '');
const parentOf = (pid: string) =>
  orNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] ?? '', '');
