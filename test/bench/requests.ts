/** What each operation costs in the Worker, the REST layer and PostgreSQL, and which calls it makes. */
import { randomBytes } from 'node:crypto';
import type { OwnStack } from '../support/own-stack.ts';
import { Connection } from './connection.ts';
import { OPERATIONS, type Place } from './operations.ts';
import { Recorder } from './recorder.ts';
import type { Section, Table } from './report.ts';
import { inTurns, median, type Round, requestsOf, runner } from './rounds.ts';
import { startService } from './service.ts';
import { Sessions } from './sessions.ts';

const CONNECTIONS = [1, 16];

export async function requests(stack: OwnStack, { rounds }: { readonly rounds: number }): Promise<Section> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 4);
  const encryptionKey = randomBytes(32).toString('base64');
  const worker = await startService(stack, encryptionKey);
  try {
    const place = { sessions, stack, encryptionKey };
    const processes = { app: worker.pid, rest: stack.apiPid, postgres: await sessions.serverPid() };
    const cells: Cell[] = [];
    for (const connections of CONNECTIONS) {
      for (const operation of OPERATIONS) {
        // It differs from the operation before it only in the baseline.
        if (operation.rotateMode === 'single') continue;
        const count = requestsOf(operation, connections);
        const server = { url: worker.url, processes };
        const service = runner(operation, server, connections, count, () => operation.service(place, count));
        const measured = await inTurns({ service }, Math.max(3, Math.ceil(rounds / 3)));
        cells.push({ name: operation.name, connections, rounds: measured.service });
      }
    }
    return { tables: [requestTable(cells), await callTable(place)], verdicts: [] };
  } finally {
    await worker.stop();
    await sessions.end();
  }
}

interface Cell {
  readonly name: string;
  readonly connections: number;
  readonly rounds: readonly Round[];
}

function requestTable(cells: readonly Cell[]): Table {
  return {
    title: 'Requests',
    note: `The production bundle in plain workerd, the embedded REST layer and PostgreSQL; requests from this process over 1 and 16
connections. Milliseconds of processor time a request, by process, and the share of the embedded REST layer in all of it.`,
    columns: [
      'operation',
      'connections',
      'requests/s',
      'p50 ms',
      'Worker',
      'REST',
      'PostgreSQL',
      'REST of all',
    ],
    rows: cells.map(({ name, connections, rounds }) => [
      name,
      `${connections}`,
      median(rounds, (round) => round.perSecond),
      median(rounds, (round) => round.p50),
      median(rounds, (round) => round.app),
      median(rounds, (round) => round.rest),
      median(rounds, (round) => round.postgres),
      `${(100 * median(rounds, ({ app, rest, postgres }) => rest / (app + rest + postgres))).toFixed(0)} %`,
    ]),
  };
}

/** The calls of the database API of one request each. */
async function callTable({ sessions, stack, encryptionKey }: Place): Promise<Table> {
  const recorder = await Recorder.start(stack.supabaseUrl);
  const worker = await startService(stack, encryptionKey, recorder.url);
  const connection = await Connection.open(worker.url);
  try {
    const rows: Table['rows'][number][] = [];
    for (const { name, service, rotateMode } of OPERATIONS) {
      if (rotateMode === 'single') continue;
      const requestOf = await service({ sessions, stack, encryptionKey }, 1);
      recorder.calls.length = 0;
      const { body } = await connection.send(requestOf(0));
      for (const call of recorder.calls)
        rows.push([
          name,
          call.name,
          `${call.sentBytes}`,
          `${call.answeredBytes}`,
          `${Buffer.byteLength(body)}`,
        ]);
    }
    return {
      title: 'Calls of the database API',
      note: 'Bytes of the bodies of one request: what the Worker sends to the database API, what the API returns, and what the Worker responds.',
      columns: ['operation', 'function', 'sent', 'returned', 'response'],
      rows,
    };
  } finally {
    connection.close();
    await worker.stop();
    await recorder.stop();
  }
}
