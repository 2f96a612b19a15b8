/** Calls to the running service. Each is counted, and its response is searched for secrets. */
import { Figures } from './figures.ts';
import { tick, type Window } from './ledger.ts';

export interface Answer extends Window {
  readonly line: string;
  readonly status: number;
  /** The code of a problem. */
  readonly code: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the caller judges the response
  readonly json: any;
}

/** Records texts for the leak scan of the tests. */
export interface Recorder {
  keysOf(body: unknown): void;
  text(text: string): void;
}

/** The service has time limits of its own, which are shorter. */
const LONGEST_CALL_MS = 60_000;

export class Api {
  readonly figures = new Figures();
  readonly #url: URL;
  readonly #recorder: Recorder | undefined;

  constructor(url: URL, recorder?: Recorder) {
    this.#url = url;
    this.#recorder = recorder;
  }

  /** `call('POST /bots/{id}/stop', { id, token })`. If the service does not respond, the status is 0. */
  async call(
    line: string,
    { id = '', token, body, raw }: { id?: string; token?: string; body?: object; raw?: string } = {},
  ): Promise<Answer> {
    this.#recorder?.keysOf(body);
    const [method = 'GET', path = '/'] = line.split(' ');
    const from = tick();
    const started = performance.now();
    let status = 0;
    let text = '';
    let headers = '';
    try {
      const response = await fetch(new URL(path.replace('{id}', id), this.#url), {
        method,
        signal: AbortSignal.timeout(LONGEST_CALL_MS),
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...((body ?? raw) !== undefined && { 'content-type': 'application/json' }),
        },
        ...((body ?? raw) !== undefined && { body: raw ?? JSON.stringify(body) }),
      });
      text = await response.text();
      status = response.status;
      headers = JSON.stringify([...response.headers]);
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') throw new Error(`${line} hangs`);
      status = 0;
    }
    this.#recorder?.text(headers);
    this.#recorder?.text(text);
    const json = status === 0 ? undefined : JSON.parse(text);
    const code = status >= 400 ? json?.code : undefined;
    this.figures.count(line.split('?')[0] ?? line, performance.now() - started, code ?? String(status));
    return { line, status, code, json, from, until: tick() };
  }
}
