/** One call of the API: the request, its time limit, its retries, and what the answer means. */
import { ApiProblem, NoAnswer, type ProblemPart } from './errors.ts';
import type { Operations } from './openapi.ts';
import { delayBeforeRetry, parseRetryAfter, sleep } from './retry.ts';

const TIMEOUT_MS = 10_000;
const RETRIES = 2;
/** Hosts that no network lies in front of: anywhere else plain HTTP would show the token and submitted keys. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface ClientOptions {
  /** Of the API, such as `https://keys.example.com`. `http://` is accepted for `localhost`, 127.0.0.0/8 and `[::1]` alone. */
  readonly url: string | URL;
  /**
   * An access token of the Supabase project, or a machine token (`tk_…`). A function is called before every attempt, so
   * that it can return the token of a refreshed session. Leave it out only for calls that need no token: `undefined`, such
   * as of an environment variable that is not set, is a TypeError.
   */
  readonly token?: string | (() => string | Promise<string>);
  /** In place of the global one: a service binding, a proxy. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** For each attempt, until the whole answer is there. 10 seconds. */
  readonly timeoutMs?: number | undefined;
  /** How often a call that may be repeated is tried again. 2. */
  readonly retries?: number | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * For calls that make or change something: under one key the API does it once, for 24 hours. Give your own to be able
   * to ask again later, in another process too; without one, each call has a new one for all its attempts.
   */
  readonly idempotencyKey?: string | undefined;
}

type Line = keyof Operations;

interface Handling {
  /** Whether doing it twice is doing it once; a lost answer is then asked for again. */
  readonly repeatable?: boolean;
  /** The API does it once for each Idempotency-Key. With one it is repeatable; it gets one always, or if asked. */
  readonly once?: 'always' | 'if asked';
  /** Statuses beside 2xx whose response is not a problem. */
  readonly expected?: readonly number[];
}

/** What the route takes, as the API describes it, and `id` in the place of `{id}` in its path. */
type Inputs<Route extends Line> = Omit<Operations[Route], 'response' | 'problem'> &
  (Route extends `${string}{id}${string}` ? { readonly id: string } : unknown);

/** As for any route. */
interface Parts extends Handling {
  readonly id?: string;
  readonly query?: object | undefined;
  readonly body?: object;
}

export type Call = <Route extends Line>(
  line: Route,
  parts: Inputs<Route> & Handling,
  options?: CallOptions,
) => Promise<Operations[Route]['response']>;

export function createTransport(settings: ClientOptions): Call {
  const base = parseBase(settings.url);
  if ('token' in settings && settings.token === undefined) {
    throw new TypeError(
      'The token is undefined. Is its environment variable set? Leave token out for calls that need none.',
    );
  }
  const { origin } = new URL(base);
  const { timeoutMs = TIMEOUT_MS, retries = RETRIES } = settings;
  const send = settings.fetch ?? ((input, init) => fetch(input, init));

  async function attempt(
    line: string,
    parts: Parts,
    key: string | undefined,
    signal: AbortSignal | undefined,
  ) {
    const { method, url } = locate(base, line, parts);
    const authorization = await authorize(settings.token);
    const timeLimit = AbortSignal.timeout(timeoutMs);
    try {
      const response = await send(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(authorization !== undefined && { authorization }),
          ...(parts.body && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(parts.body && { body: JSON.stringify(parts.body) }),
        // A redirect would take the body, and a key in it, to whoever it names.
        redirect: 'manual',
        signal: signal ? AbortSignal.any([signal, timeLimit]) : timeLimit,
      });
      return readAnswer(line, response, await response.text(), parts.expected ?? []);
    } catch (error) {
      if (error instanceof ApiProblem) throw error;
      if (signal?.aborted) throw signal.reason;
      // The reason is named and not attached: what fetch throws can quote the headers.
      throw timeLimit.aborted
        ? new NoAnswer(`${line}: no response from ${origin} within ${timeoutMs} ms`, 'timeout')
        : new NoAnswer(`${line}: no response from ${origin} (${causeOf(error)})`, 'unreachable');
    }
  }

  const call = async (line: string, parts: Parts, options: CallOptions = {}): Promise<unknown> => {
    const key = keyOf(parts, options);
    const repeatable = parts.repeatable || key !== undefined;
    for (let retry = 0; ; retry++) {
      try {
        return await attempt(line, parts, key, options.signal);
      } catch (error) {
        const delay = repeatable && retry < retries ? delayBeforeRetry(error, retry) : undefined;
        if (delay === undefined) throw error;
        await sleep(delay, options.signal);
      }
    }
  };
  return call as Call;
}

/** The same for every attempt of a call. */
function keyOf({ once }: Parts, { idempotencyKey }: CallOptions): string | undefined {
  if (once === undefined) return undefined;
  if (idempotencyKey === undefined) return once === 'always' ? crypto.randomUUID() : undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) {
    throw new TypeError('An idempotency key is 1 to 255 visible ASCII characters.');
  }
  return idempotencyKey;
}

function parseBase(url: string | URL): string {
  const base = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (
    !base ||
    !/^https?:$/.test(base.protocol) ||
    base.username ||
    base.password ||
    base.search ||
    base.hash
  ) {
    throw new TypeError('The url has to be that of the API, such as https://keys.example.com.');
  }
  if (base.protocol === 'http:' && !LOOPBACK.test(base.hostname)) {
    throw new TypeError(
      'The url has to begin with https://. Only localhost, 127.0.0.0/8 and [::1] may use http://.',
    );
  }
  return base.href.replace(/\/+$/, '');
}

function locate(base: string, line: string, { id, query = {} }: Parts) {
  const [method = 'GET', path = '/'] = line.split(' ');
  // Neither another path nor, by some mix-up, a key gets into an URL.
  if (id !== undefined && !UUID.test(id)) throw new TypeError(`${line}: the id is not a UUID.`);
  const url = new URL(`${base}${path.replace('{id}', id ?? '')}`);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
  }
  return { method, url: url.href };
}

async function authorize(token: ClientOptions['token']): Promise<string | undefined> {
  const value = typeof token === 'function' ? await token() : token;
  if (value === undefined) return undefined;
  if (!/^[\x21-\x7e]+$/.test(value)) throw new TypeError('The token is empty or has characters of no token.');
  return `Bearer ${value}`;
}

function readAnswer(line: string, response: Response, text: string, expected: readonly number[]): unknown {
  const body = parseJson(text);
  if ((response.ok || expected.includes(response.status)) && body !== undefined) return body;
  throw asProblem(line, response, body);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only the API's own problems are quoted: what a proxy answers may repeat the request. */
function asProblem(line: string, response: Response, body: unknown): ApiProblem {
  const isProblem = /^application\/problem\+json\b/i.test(response.headers.get('content-type') ?? '');
  const problem: Record<string, unknown> =
    isProblem && typeof body === 'object' && body !== null ? { ...body } : {};
  const code = text(problem.code) ?? 'unexpected_answer';
  const told = [text(problem.title), text(problem.detail)].filter(Boolean).join('. ');
  return new ApiProblem(`${line}: ${response.status} ${code}${told && `: ${told}`}`, {
    code,
    status: response.status,
    requestId: text(problem.request_id) ?? response.headers.get('x-request-id') ?? undefined,
    errors: Array.isArray(problem.errors) ? (problem.errors as ProblemPart[]) : [],
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after')),
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A system code such as ECONNREFUSED if the runtime gives one, else the kind of error. Never its message. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  for (const at of [cause, error]) {
    const code = at instanceof Error && 'code' in at ? at.code : undefined;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code)) return code;
  }
  const name = error instanceof Error ? error.name : '';
  return /^[A-Za-z]{1,40}$/.test(name) ? name : 'unknown cause';
}
