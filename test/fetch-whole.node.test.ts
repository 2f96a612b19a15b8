/** An answer is read to its end and no further than its limit, whatever it says of its own length. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AnswerTooLarge, fetchWhole } from '../src/fetch-whole.ts';

const LIMIT = 1000;
const text = (size: number) => 'a'.repeat(size);
const chunks = (size: number) => `${size.toString(16)}\r\n${text(size)}\r\n0\r\n\r\n`;
const compressed = (size: number) => gzipSync(text(size));

/** Heads and bodies as they go over the wire, and how many characters are read; `undefined` where it is too large. */
const ANSWERS: Readonly<Record<string, [head: string[], body: string | Buffer, read: number | undefined]>> = {
  'of its length': [['content-length: 1000'], text(1000), 1000],
  'of no length at all': [['content-length: 0'], '', 0],
  'longer by one': [['content-length: 1001'], text(1001), undefined],
  'in chunks': [['transfer-encoding: chunked'], chunks(1000), 1000],
  'in chunks, longer by one': [['transfer-encoding: chunked'], chunks(1001), undefined],
  'up to the end of the connection': [[], text(1000), 1000],
  'up to the end of the connection, longer by one': [[], text(1001), undefined],
  compressed: [
    ['content-encoding: gzip', `content-length: ${compressed(1000).length}`],
    compressed(1000),
    1000,
  ],
  'compressed, longer by one': [
    ['content-encoding: gzip', `content-length: ${compressed(1001).length}`],
    compressed(1001),
    undefined,
  ],
};

let server: Server;
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      const [, number] = /^GET \/(\d+) /.exec(String(request)) ?? [];
      const [head, body] = Object.values(ANSWERS)[Number(number)] ?? [[], ''];
      socket.write(['HTTP/1.1 200 OK', 'connection: close', ...head, '', ''].join('\r\n'));
      socket.end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

it.each(Object.entries(ANSWERS).map(([name, [, , read]], number) => ({ name, read, number })))(
  'an answer $name',
  async ({ read, number }) => {
    const { port } = server.address() as AddressInfo;
    const whole = fetchWhole(`http://127.0.0.1:${port}/${number}`, undefined, LIMIT);
    if (read === undefined) await expect(whole).rejects.toBeInstanceOf(AnswerTooLarge);
    else expect((await whole).text).toBe(text(read));
  },
);
