/**
 * Fetches an answer to its end, so that the time limit of `init.signal` covers its body, and no more of it than
 * `maxBytes`. A redirect is an answer: followed, it would take tokens and bodies to whoever it names.
 *
 * @throws what `fetch` throws, the signal's reason, or `ResponseTooLarge`
 */
export async function fetchWhole(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  maxBytes: number,
): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(input, { ...init, redirect: 'manual' });
  const { status, headers, body } = response;
  if (!body) return { status, headers, text: '' };
  // What says its length is read by the runtime, at a third of what counting costs here.
  const text = hasLengthUpTo(maxBytes, headers) ? await response.text() : await readText(body, maxBytes);
  return { status, headers, text };
}

/** Whether no more than `maxBytes` can come: compressed or in chunks, an answer may be longer than it says. */
function hasLengthUpTo(maxBytes: number, headers: Headers): boolean {
  const length = headers.get('content-length');
  if (length === null || headers.has('content-encoding') || headers.has('transfer-encoding')) return false;
  return /^\d+$/.test(length) && Number(length) <= maxBytes;
}

export class ResponseTooLarge extends Error {
  override readonly name = 'ResponseTooLarge';
}

async function readText(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      await reader.cancel();
      throw new ResponseTooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}
