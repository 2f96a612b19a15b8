/**
 * The types of the package for bots, from the description of the API. `npm run openapi` writes them. The program turns the
 * description into one JSON Schema, and `json-schema-to-typescript` writes the types.
 */
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import type { Description, Operation, Schema } from './docs-page/description.ts';
import { range } from './reference/api.ts';

const HEADER =
  '/** Written by `npm run openapi` from the schemas of the API. Do not edit: a test compares it. */';

/** The description gives query parameters no name: each name with an operation that has exactly these parameters. */
const QUERIES = {
  PageQuery: 'listClients',
  SeqPageQuery: 'listCheckpoints',
  KeyEventQuery: 'listKeyEvents',
  RpcQuery: 'callJsonRpc',
};

/** The text of `src/sdk/openapi.ts`: an interface for each named schema, and `Operations`, which has all routes. */
export async function generateSdkTypes({ paths, components }: Description): Promise<string> {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => [`${method.toUpperCase()} ${path}`, it] as const),
  );
  const queries = namedQueries(operations.map(([, operation]) => operation));
  const schemas = Object.entries({ ...components.schemas, ...queries });
  const root: JSONSchema = {
    ...object(
      operations.map(([line, operation]) => [line, inputsAndOutput(operation, queries)]),
      'What each route takes, what it returns if it succeeds, and what it returns if not.',
    ),
    $defs: Object.fromEntries(schemas.map(([name, schema]) => [name, { ...convert(schema), title: name }])),
  };
  return compile(root, 'Operations', {
    additionalProperties: false,
    bannerComment: HEADER,
    // Types of tuples would make arrays with a limit unusable.
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 110 },
  });
}

function inputsAndOutput(operation: Operation, queries: Readonly<Record<string, Schema>>): JSONSchema {
  const { summary, requestBody, responses } = operation;
  const query = queryOf(operation);
  const queryName = Object.keys(queries).find((name) => isSame(queries[name], query));
  if (query && queryName === undefined) throw new Error(`${operation.operationId}: its query has no name.`);
  const succeeded = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1];
  return object(
    [
      ...(queryName === undefined ? [] : [['query?', reference(queryName)] as const]),
      ...(requestBody ? [['body', bodyOf(requestBody.content)] as const] : []),
      ['response', bodyOf(succeeded?.content)],
      ['problem', bodyOf(responses.default?.content)],
    ],
    summary,
  );
}

/** A body has one media type. */
const bodyOf = (content: Operation['responses'][string]['content'] = {}) =>
  convert(Object.values(content)[0]?.schema ?? {});

function namedQueries(operations: readonly Operation[]): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(QUERIES).map(([name, operationId]) => {
      const query = queryOf(operations.find((operation) => operation.operationId === operationId));
      if (!query) throw new Error(`${operationId}: it has no query.`);
      return [name, query];
    }),
  );
}

/** The query parameters as an object. */
function queryOf({ parameters = [] }: Pick<Operation, 'parameters'> = {}): Schema | undefined {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  if (inQuery.length === 0) return undefined;
  return {
    type: 'object',
    properties: Object.fromEntries(inQuery.map(({ name, schema }) => [name, schema])),
    required: inQuery.filter(({ required }) => required).map(({ name }) => name),
  };
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
const reference = (name: string): JSONSchema => ({ $ref: `#/$defs/${name}` });

/** An object of these fields. A name with `?` is optional, and also accepts undefined: callers pass on what they have. */
function object(
  fields: readonly (readonly [name: string, schema: JSONSchema])[],
  description = '',
): JSONSchema {
  return {
    type: 'object',
    ...(description !== '' && { description }),
    properties: Object.fromEntries(
      fields.map(([name, schema]) =>
        name.endsWith('?') ? [name.slice(0, -1), orUndefined(schema)] : [name, schema],
      ),
    ),
    required: fields.map(([name]) => name).filter((name) => !name.endsWith('?')),
  };
}

const orUndefined = ({ description, ...schema }: JSONSchema): JSONSchema => ({
  ...(description !== undefined && { description }),
  anyOf: [schema, { tsType: 'undefined' }],
});

/** What `convert` reads of a schema, and what changes no type. */
const KEYWORDS = new Set(
  [
    '$ref type properties required additionalProperties items allOf anyOf oneOf enum',
    'description format minLength maxLength minimum maximum maxItems default',
    'pattern example writeOnly',
  ].flatMap((words) => words.split(' ')),
);

/** A schema of the description as the library reads it. What the library does not write as a type becomes text. */
function convert(schema: Schema): JSONSchema {
  const unknown = Object.keys(schema).filter((keyword) => !KEYWORDS.has(keyword));
  if (unknown.length > 0) throw new Error(`tools/generate/sdk-types.ts does not read ${unknown.join(', ')}.`);
  if (schema.$ref !== undefined) return reference(schema.$ref.replace('#/components/schemas/', ''));
  const description = [...descriptions(schema), ...facts(schema)].join(' ');
  return {
    ...typeOf(schema),
    ...(description !== '' && { description }),
  };
}

function typeOf(schema: Schema): JSONSchema {
  const { type, properties, required = [], items, allOf, enum: values, additionalProperties } = schema;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return { anyOf: choices.map(convert) };
  if (allOf) return extension(allOf.filter((part) => part.$ref ?? part.type));
  if (values) return { enum: [...values] as string[] };
  // The library forgets the null of an object that can be null.
  if (Array.isArray(type)) {
    return { anyOf: type.map((one) => (one === 'null' ? { type: one } : typeOf({ ...schema, type: one }))) };
  }
  return {
    ...(type !== undefined && { type: type as NonNullable<JSONSchema['type']> }),
    ...(items && { items: convert(items) }),
    ...(properties &&
      object(
        Object.entries(properties).map(([name, field]) => [
          required.includes(name) ? name : `${name}?`,
          convert(field),
        ]),
      )),
    ...(typeof additionalProperties === 'object' && { additionalProperties: convert(additionalProperties) }),
  };
}

/** Of a schema that extends another: an interface that extends an interface. */
function extension(parts: readonly Schema[]): JSONSchema {
  const [base, own, ...others] = parts;
  if (base?.$ref === undefined || others.length > 0)
    throw new Error('allOf is not a schema and its extension.');
  // The library accepts a schema there. Its types know only the text of JSON Schema's draft 4.
  const extended = { extends: convert(base) as unknown as string };
  return own ? { ...typeOf(own), ...extended } : { allOf: [convert(base)] };
}

const descriptions = (schema: Schema) =>
  [schema, ...(schema.allOf ?? [])].flatMap(({ description }) => description ?? []);

const FORMATS: Readonly<Record<string, string>> = { uuid: 'UUID', 'date-time': 'RFC 3339' };

/** The limits of a value that its description does not state, as one sentence. */
function facts(schema: Schema): string[] {
  const stated = descriptions(schema).join(' ');
  const format = FORMATS[schema.format ?? ''];
  const all = [
    ...(format !== undefined && !stated.includes(format) ? [format] : []),
    ...range(schema.minLength, schema.maxLength, ' characters'),
    ...range(schema.minimum, schema.maximum),
    ...range(undefined, schema.maxItems, ' items'),
    ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
  ].join(', ');
  return all === '' ? [] : [`${all.charAt(0).toUpperCase()}${all.slice(1)}.`];
}
