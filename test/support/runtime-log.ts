/**
 * The Workers runtime writes each connection that fails to the standard error, with addresses of its own code. Tests
 * make connections fail on purpose. These lines are hidden, so that a line that somebody should read is seen.
 */
const EXPECTED =
  /Connection refused|Network connection lost|^stack:( \S+\/workerd@[0-9a-f]+)+$|^A header value for "[\w-]+" contains non-ASCII/;

export function hideExpectedFailures(): void {
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (chunk: string | Uint8Array, ...rest: []) =>
    typeof chunk === 'string' && chunk.split('\n').every((line) => line === '' || EXPECTED.test(line))
      ? true
      : write(chunk, ...rest);
}
