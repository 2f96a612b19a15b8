/** A response is read to its end, up to a size limit, whatever length it declares. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fetchWhole, ResponseTooLarge } from '../src/fetch-whole.ts';

const LIMIT = 1000;
const text = (size: number) => 'a'.repeat(size);
const chunks = (size: number) => `${size.toString(16)}\r\n${text(size)}\r\n0\r\n\r\n`;
const compressed = (size: number) => gzipSync(text(size));
/** Characters of two, three and four bytes. */
const CHARACTERS = 'é中🔑';
const bytes = [...Buffer.from(CHARACTERS)].map((byte) => Buffer.from([byte]));
/** Each byte as a chunk, to be sent on its own. Chunks that arrive together are read together. */
const inChunksOfOne = (some: readonly Buffer[]) => [
  ...some.map((byte) => Buffer.concat([Buffer.from('1\r\n'), byte, Buffer.from('\r\n')])),
  Buffer.from('0\r\n\r\n'),
];

/** Headers and bodies as they are sent, and the expected text; `undefined` if the body is too large. */
const ANSWERS: Readonly<
  Record<string, [head: string[], body: string | Buffer | Buffer[], read: string | undefined]>
> = {
  'of the declared length': [['content-length: 1000'], text(1000), text(1000)],
  'of length 0': [['content-length: 0'], '', ''],
  'longer by one': [['content-length: 1001'], text(1001), undefined],
  'in chunks': [['transfer-encoding: chunked'], chunks(1000), text(1000)],
  'in chunks, longer by one': [['transfer-encoding: chunked'], chunks(1001), undefined],
  'in chunks that split characters': [['transfer-encoding: chunked'], inChunksOfOne(bytes), CHARACTERS],
  'in chunks, with half a character at its end': [
    ['transfer-encoding: chunked'],
    inChunksOfOne(bytes.slice(0, -1)),
    'é中\ufffd',
  ],
  'up to the end of the connection': [[], text(1000), text(1000)],
  'up to the end of the connection, longer by one': [[], text(1001), undefined],
  compressed: [
    ['content-encoding: gzip', `content-length: ${compressed(1000).length}`],
    compressed(1000),
    text(1000),
  ],
  'compressed, longer by one': [
    ['content-encoding: gzip', `content-length: ${compressed(1001).length}`],
    compressed(1001),
    undefined,
  ],
};

/** Settles when the endless response is no longer read. */
const cutOff = Promise.withResolvers<void>();
function writeOn(socket: Socket): void {
  socket.on('close', () => cutOff.resolve());
  socket.write('HTTP/1.1 200 OK\r\n\r\n');
  const write = () => {
    while (!socket.destroyed && socket.write(text(LIMIT)));
  };
  socket.on('drain', write);
  write();
}

let server: Server;
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', async (request) => {
      if (String(request).startsWith('GET /endless ')) return writeOn(socket);
      const [, number] = /^GET \/(\d+) /.exec(String(request)) ?? [];
      const [head, body] = Object.values(ANSWERS)[Number(number)] ?? [[], ''];
      socket.write(['HTTP/1.1 200 OK', 'connection: close', ...head, '', ''].join('\r\n'));
      for (const piece of Array.isArray(body) ? body : [body]) {
        socket.write(piece);
        await wait(5);
      }
      socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

it.each(Object.entries(ANSWERS).map(([name, [, , read]], number) => ({ name, read, number })))(
  'a response $name',
  async ({ read, number }) => {
    const { port } = server.address() as AddressInfo;
    const whole = fetchWhole(`http://127.0.0.1:${port}/${number}`, undefined, LIMIT);
    if (read === undefined) await expect(whole).rejects.toBeInstanceOf(ResponseTooLarge);
    else expect((await whole).text).toBe(read);
  },
);

it('an endless response is cut off, and its connection is closed', async () => {
  const { port } = server.address() as AddressInfo;
  const whole = fetchWhole(`http://127.0.0.1:${port}/endless`, undefined, LIMIT);
  await expect(whole).rejects.toBeInstanceOf(ResponseTooLarge);
  await cutOff.promise;
});
