/**
 * Checks that a response matches its operation in `/openapi.json`. Every `call` of every test is checked. An object may
 * have only described members, because an undescribed member could leak something.
 */
import { description, type Operation, operations, type Schema } from './operations.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const KEYWORDS = new Set(
  'type properties required additionalProperties items enum anyOf format description example'.split(' '),
);

/** The differences between a response of this `METHOD /path` and the description; empty if it matches. */
export function violationsOf(
  line: string,
  answer: { status: number; headers: Headers; text: string; json: unknown },
): string[] {
  const operation = operationOf(line);
  const described = operation?.responses[answer.status] ?? operation?.responses.default;
  if (described && described.content === undefined)
    return answer.text === '' ? [] : [`${line} returns a body`];
  const content = described?.content ?? PROBLEM;
  const type = answer.headers.get('content-type') ?? '';
  const schema = content[type]?.schema;
  if (schema === undefined) return [`${line} returns ${answer.status} in ${type}`];
  if (answer.text === '' && line.startsWith('HEAD')) return [];
  return [...violations(answer.json, schema, ''), ...unlistedCode(operation, answer)];
}

/** An operation lists each problem code that it responds with. */
function unlistedCode(
  operation: Operation | undefined,
  { status, json, headers }: { status: number; json: unknown; headers: Headers },
): string[] {
  if (!operation || headers.get('content-type') !== 'application/problem+json') return [];
  const { code } = json as { code: string };
  // A method that the path does not have is not a response of the operation that was matched by the path.
  if (code === 'method_not_allowed' || operation.responses[status]?.['x-problem-codes']?.includes(code))
    return [];
  return [`${operation.line} does not list ${code}`];
}

/** The responses that every operation may return, also for paths that do not exist. */
const PROBLEM = operations[0]?.responses.default?.content ?? {};

export function operationOf(line: string): Operation | undefined {
  const [path = ''] = line.replace(/^HEAD /, 'GET ').split('?');
  const fits = operations.filter((operation) =>
    new RegExp(`^${operation.line.replace('{id}', '[^/]+')}$`).test(path),
  );
  return (
    fits.sort((one, other) => other.line.length - one.line.length).find(({ line: own }) => own === path) ??
    fits[0]
  );
}

export function violations(value: unknown, described: Schema, at: string): string[] {
  const schema = resolved(described);
  const unknown = Object.keys(schema).filter((keyword) => !KEYWORDS.has(keyword));
  if (unknown.length > 0) return [`${at}: this check does not know ${unknown}`];
  const wrong: string[] = [];
  if (schema.anyOf && !schema.anyOf.some((one) => violations(value, one, at).length === 0))
    wrong.push(`${at}: none of anyOf`);
  const types = [schema.type ?? []].flat();
  if (
    types.length > 0 &&
    !types.includes(typeOf(value)) &&
    !(types.includes('number') && typeOf(value) === 'integer')
  ) {
    wrong.push(`${at}: ${typeOf(value)} instead of ${types}`);
  }
  if (schema.enum && !schema.enum.includes(value)) wrong.push(`${at}: none of enum`);
  if (typeof value === 'string') {
    if (schema.format === 'uuid' && !UUID.test(value)) wrong.push(`${at}: no UUID`);
    if (schema.format === 'date-time' && !UTC.test(value)) wrong.push(`${at}: no UTC time`);
  }
  if (Array.isArray(value) && schema.items) {
    for (const [i, item] of value.entries()) wrong.push(...violations(item, schema.items, `${at}/${i}`));
  }
  if (typeOf(value) === 'object' && (schema.properties || schema.required)) {
    const { properties = {}, required = [] } = schema;
    const members = value as Record<string, unknown>;
    for (const name of required) if (!Object.hasOwn(members, name)) wrong.push(`${at}/${name}: missing`);
    for (const [name, member] of Object.entries(members)) {
      const property = properties[name];
      wrong.push(
        ...(property ? violations(member, property, `${at}/${name}`) : [`${at}/${name}: not described`]),
      );
    }
  }
  return wrong;
}

/** A schema by its name, and a schema that extends another merged into one. */
export function resolved({ $ref, allOf, ...schema }: Schema): Schema {
  if ($ref !== undefined) {
    const named = description.components.schemas[$ref.replace('#/components/schemas/', '')];
    if (!named) throw new TypeError(`the description has no ${$ref}`);
    return resolved(named);
  }
  const parts = [schema, ...(allOf ?? []).map(resolved)];
  if (parts.length === 1) return schema;
  return {
    ...Object.assign({}, ...parts),
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
    required: parts.flatMap(({ required = [] }) => required),
  };
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
