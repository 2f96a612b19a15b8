/** When the last signature is returned after a revocation, with runners that sign without a pause. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnStack } from '../support/own-stack.ts';
import { summaryOf } from './measure.ts';
import { number, type Section } from './report.ts';
import { type Home, newHomes, requestBy, startService } from './service.ts';
import { Sessions } from './sessions.ts';
import type { Workerd } from './workerd.ts';

const RUNNERS = 16;
const REVOCATIONS = 10;

export async function revocation(stack: OwnStack): Promise<Section> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 2);
  const encryptionKey = randomBytes(32).toString('base64');
  const worker = await startService(stack, encryptionKey);
  try {
    const homes = await newHomes(sessions, stack, encryptionKey, REVOCATIONS);
    const { took, sinceSent, sinceAnswer, signatures, late } = await measure(worker, homes);
    return {
      tables: [
        {
          title: 'From revocation to the last signature',
          note: `${RUNNERS} runners sign continuously through the Worker while the client revokes its key, ${REVOCATIONS} times. "After" is the time from the response to the revocation until the last signature arrived; a negative time means that the signature arrived first.`,
          columns: ['', 'ms'],
          rows: [
            ['a revocation under load', summaryOf(took)],
            ['last signature after the revocation was sent', summaryOf(sinceSent)],
            ['last signature after its response', summaryOf(sinceAnswer)],
            ['signatures before each', number(summaryOf(signatures).median)],
          ],
        },
      ],
      verdicts: [
        {
          target: 'no signature is returned for a request that was sent after the response to a revocation',
          measured: `${late} were`,
          met: late === 0,
        },
      ],
    };
  } finally {
    await worker.stop();
    await sessions.end();
  }
}

async function measure(worker: Workerd, homes: readonly Home[]) {
  const took: number[] = [];
  const sinceSent: number[] = [];
  const sinceAnswer: number[] = [];
  const signatures: number[] = [];
  let late = 0;
  for (const { clientId, botId, session, machineToken } of homes) {
    const signing = requestBy(machineToken, 'POST', `/bots/${botId}/sign`, {
      type: 'evm.message',
      message: 'x',
    });
    const given: { asked: number; answered: number }[] = [];
    let over = false;
    const runners = Array.from({ length: RUNNERS }, async () => {
      while (!over) {
        const asked = performance.now();
        const status = await worker.request(signing);
        if (status === 200) given.push({ asked, answered: performance.now() });
        else await sleep(1);
      }
    });
    await sleep(1_000);
    const sent = performance.now();
    const status = await worker.request(requestBy(session, 'DELETE', `/clients/${clientId}/revoke-key`));
    const answered = performance.now();
    await sleep(300);
    over = true;
    await Promise.all(runners);
    if (status !== 200) throw new Error(`The revocation returned ${status}`);
    const last = Math.max(...given.map((one) => one.answered));
    took.push(answered - sent);
    sinceSent.push(last - sent);
    sinceAnswer.push(last - answered);
    signatures.push(given.length);
    late += given.filter((one) => one.asked > answered).length;
  }
  return { took, sinceSent, sinceAnswer, signatures, late };
}
