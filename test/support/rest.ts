/** Requests directly at the project's REST API, without the edge: what any caller with a session can send. */
import { inject } from 'vitest';

export interface RestAnswer {
  readonly status: number;
  /** The SQLSTATE or the PostgREST code of an error, and its hint, which for our own errors is the problem code. */
  readonly code: string | undefined;
  readonly hint: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that the response should have
  readonly json: any;
}

/** `rest('POST bots?select=id', token, body)`; without a token as `anon`. */
export async function rest(line: string, token?: string, body?: unknown): Promise<RestAnswer> {
  const [method = 'GET', path = ''] = line.split(' ');
  const response = await fetch(`${inject('supabaseUrl')}/rest/v1/${path}`, {
    method,
    headers: {
      apikey: inject('publishableKey'),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
      // Rows are returned only if the path selects columns: a session may not read all of them.
      ...(path.includes('select=') && { prefer: 'return=representation' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, code: json?.code, hint: json?.hint, json };
}

export const rpc = (name: string, args: object, token?: string): Promise<RestAnswer> =>
  rest(`POST rpc/${name}`, token, args);

/** A value for a column of type bytea, in the format that the embedded REST API accepts. */
export const bytea = (hex: string) => ({
  type: 'Buffer',
  data: (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)),
});
