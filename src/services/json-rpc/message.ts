/** Requests of JSON-RPC 2.0. Each item of a batch is read by itself, so that one that is not valid spoils no other. */
import { MAX_RPC_ITEMS } from '../../contract/rpc.ts';
import { Problem } from '../../problem.ts';
import { isObject } from './parameters.ts';

/** As it was sent. `JSON.stringify` writes the digits of a number that a double cannot hold. */
export type Id = string | number | null;

export interface Request {
  /** Undefined for a notification, which gets no response. */
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface Invalid {
  readonly id: Id;
  readonly problem: Problem;
}

export type Item = Request | Invalid;

export interface Message {
  readonly items: readonly Item[];
  readonly isBatch: boolean;
}

/** Too short for 32 bytes in any encoding: a private key or token that is sent as an id is not returned. */
const MAX_ID_LENGTH = 36;

/** @param text the JSON of `body`, from which numbers are read that a double cannot hold */
export function readMessage(body: unknown, text: string): Message {
  // Once for all items, because each may have a number that needs it.
  let sources: { readonly value: unknown } | undefined;
  const sourcesOnce = () => {
    sources ??= { value: sourcesOf(text) };
    return sources.value;
  };
  if (!Array.isArray(body)) return { items: [readItem(body, sourcesOnce)], isBatch: false };
  const wrong = (code: 'rpc_request_invalid' | 'rpc_batch_too_large') => {
    const invalid: Invalid = { id: null, problem: new Problem(code) };
    return { items: [invalid], isBatch: false };
  };
  if (body.length === 0) return wrong('rpc_request_invalid');
  if (body.length > MAX_RPC_ITEMS) return wrong('rpc_batch_too_large');
  const items = body.map((item, index) => readItem(item, () => member(sourcesOnce(), index)));
  return { items, isBatch: true };
}

function readItem(item: unknown, sources: () => unknown): Item {
  const invalid = (id: Id): Invalid => ({ id, problem: new Problem('rpc_request_invalid') });
  if (!isObject(item)) return invalid(null);
  const { jsonrpc, method, params, id: sent } = item;
  const id = readId(sent, sources);
  if (id === undefined && sent !== undefined) return invalid(null);
  if (jsonrpc !== '2.0' || typeof method !== 'string') return invalid(id ?? null);
  const list = params ?? [];
  if (!Array.isArray(list)) return invalid(id ?? null);
  return { id, method, params: list };
}

function readId(sent: unknown, sources: () => unknown): Id | undefined {
  if (sent === null) return null;
  if (typeof sent === 'string') return sent.length <= MAX_ID_LENGTH ? sent : undefined;
  if (typeof sent !== 'number') return undefined;
  if (Number.isSafeInteger(sent)) return sent;
  const source = member(sources(), 'id');
  if (!(source instanceof Source) || source.text.length > MAX_ID_LENGTH) return undefined;
  return rawJson(source.text);
}

/** A number as it is written in the JSON. */
class Source {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
/** ECMAScript's JSON.parse source text access, which the types do not have yet. */
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown;
  rawJSON(text: string): unknown;
};

/** The same body with the source of every member `id` that is a number. */
function sourcesOf(text: string): unknown {
  return parse(text, (key, value, { source }) =>
    key === 'id' && typeof value === 'number' ? new Source(source ?? String(value)) : value,
  );
}

/** Only `JSON.stringify` reads it, which writes the text itself. */
const rawJson = (text: string) => rawJSON(text) as number;

const member = (value: unknown, name: PropertyKey): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<PropertyKey, unknown>>)[name]
    : undefined;
