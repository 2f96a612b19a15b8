/**
 * The Workers runtime prints each connection that fails, with addresses of its own code. Tests
 * make connections fail on purpose. These lines are hidden, so that a line that somebody should read is seen.
 */
const EXPECTED =
  /Connection refused|Network connection lost|^stack:( \S+\/workerd@[0-9a-f]+)+$|^A header value for "[\w-]+" contains non-ASCII/;

export function hideExpectedFailures(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array, ...rest: []) => isExpected(chunk) || write(chunk, ...rest);
  }
}

function isExpected(chunk: string | Uint8Array): boolean {
  if (typeof chunk !== 'string') return false;
  const lines = chunk.split('\n').filter((line) => line !== '');
  return lines.length > 0 && lines.every((line) => EXPECTED.test(line));
}
