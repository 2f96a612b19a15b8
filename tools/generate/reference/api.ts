/** Writes `docs/reference/api.md` from the OpenAPI description. */
import type { Content, Description, Operation, Parameter, Schema } from '../docs-page/description.ts';
import { anchor, code, heading, table } from './markdown.ts';

/** Members of the description that the page of `/docs` does not use. */
interface Extras {
  readonly operationId?: string;
  readonly description?: string;
  readonly 'x-rate-limit'?: string;
}
type Route = Operation & Extras & { readonly method: string; readonly path: string };
type Response = Operation['responses'][string] & { readonly 'x-problem-codes'?: readonly string[] };

const WHO: Readonly<Record<string, string>> = {
  session: 'a session of the client or of an admin',
  machine_token: 'a machine token',
};
const SCOPES: Readonly<Record<string, string>> = {
  key_change: 'A second factor or a recent sign-in, if the deployment requires it.',
  ending: 'Never rate limited, and never needs a second factor.',
};

const schemaName = ({ $ref = '' }: Schema): string => $ref.split('/').at(-1) ?? '';
const schemaLink = (name: string): string => `[${name}](#${anchor(name)})`;

/** The type and limits of a value in one phrase: `string, 1 to 200 characters`. */
function kind(schema: Schema): string {
  if (schema.$ref !== undefined) return schemaLink(schemaName(schema));
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(kind).join(' or ');
  if (schema.allOf)
    return schema.allOf
      .filter(({ $ref, type }) => $ref ?? type)
      .map(kind)
      .join(' with ');
  const types = [schema.type ?? 'any'].flat().join(' or ');
  const parts = schema.items ?? schema.additionalProperties;
  const isTyped = typeof parts === 'object' && Object.keys(parts).length > 0;
  return [isTyped ? `${types} of ${kind(parts)}` : types, ...limits(schema)].join(', ');
}

function* limits(schema: Schema): Generator<string> {
  if (schema.format !== undefined) yield schema.format;
  yield* range(schema.minLength, schema.maxLength, ' characters');
  yield* range(schema.minimum, schema.maximum);
  yield* range(undefined, schema.maxItems, ' items');
  if (schema.pattern !== undefined) yield `pattern ${code(schema.pattern)}`;
  const values = schema.enum?.filter((value) => value !== null) ?? [];
  if (values.length > 40) yield '[one of the problem codes](problems.md)';
  else if (values.length > 0) yield values.map(code).join(' ');
  if (schema.default !== undefined) yield `default ${code(schema.default)}`;
  // UUIDs and times need no example, because the name of their format is enough.
  if (schema.example !== undefined && schema.format === undefined) yield `example ${code(schema.example)}`;
}

export function* range(least: number | undefined, most: number | undefined, unit = ''): Generator<string> {
  if (least !== undefined && most !== undefined) yield `${least} to ${most}${unit}`;
  else if (least !== undefined) yield `at least ${least}${unit}`;
  else if (most !== undefined) yield `at most ${most}${unit}`;
}

const descriptionOf = (schema: Schema): string =>
  [schema, ...(schema.allOf ?? [])].flatMap(({ description }) => description ?? []).join(' ');

const present = (...lines: (string | false | undefined)[]) => lines.filter((line) => line).join('\n\n');

/** The fields of an object and of the objects inside it, as rows: `wallets[].address`. */
function rowsOf({ properties = {}, required = [] }: Schema, path = ''): string[][] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const inner = field.items ?? field;
    const here = `${path}${name}`;
    return [
      [code(here), required.includes(name) ? 'yes' : '', kind(field), descriptionOf(field)],
      ...(inner.properties ? rowsOf(inner, `${here}${field.items ? '[]' : ''}.`) : []),
    ];
  });
}

function schemaText(name: string, schema: Schema): string {
  const parts = schema.oneOf ?? schema.anyOf ?? schema.allOf ?? [schema];
  const bases = schema.allOf?.filter(({ $ref }) => $ref !== undefined) ?? [];
  const tables = parts
    .map((choice) => rowsOf(choice))
    .filter((rows) => rows.length > 0)
    .map((rows) => table(['field', 'required', 'type', 'meaning'], rows));
  return present(
    `### ${name}`,
    schema.description,
    bases.length > 0 && `The fields of ${bases.map(kind).join(', ')}, and:`,
    ...(tables.length > 0 ? tables : [kind(schema)]),
  );
}

function parameterRow({ name, required, schema, description, ...it }: Parameter): string[] {
  return [code(name), it.in, required ? 'yes' : '', kind(schema), description ?? descriptionOf(schema)];
}

function responseRow(status: string, response: Response): string[] {
  const codes = response['x-problem-codes']?.map((one) => `[${code(one)}](problems.md#${anchor(one)})`);
  return [
    status === 'default' ? 'otherwise' : code(status),
    contentText(response.content),
    codes?.join(' ') ?? response.description,
  ];
}

/** The examples of a body or a response. */
const examples = (title: string, content: Content = {}): string[] =>
  Object.values(content as Readonly<Record<string, { readonly example?: unknown }>>)
    .filter(({ example }) => example !== undefined)
    .map(({ example }) => `${title}:\n\n\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``);

const contentText = (content: Content = {}): string =>
  Object.values(content)
    .map(({ schema }) => kind(schema))
    .join(', ');

function routeText(route: Route): string {
  const { method, path, summary = '', security = [], parameters = [], requestBody, responses } = route;
  const callers = security.flatMap((one) => Object.keys(one)).map((name) => WHO[name] ?? name);
  const scopes = security.flatMap((one) => Object.values(one).flat()).flatMap((scope) => SCOPES[scope] ?? []);
  const rate = route['x-rate-limit'];
  return present(
    `### ${method} ${path}`,
    `${summary.replace(/\.$/, '')}.`,
    route.description,
    [
      `Caller: ${callers.length > 0 ? callers.join(' or ') : 'anyone'}.`,
      ...scopes,
      ...(rate === undefined || rate === 'never' ? [] : [`Counted as ${code(rate)}.`]),
      ...(route.operationId === undefined ? [] : [`Operation: ${code(route.operationId)}.`]),
    ].join(' '),
    parameters.length > 0 &&
      table(['parameter', 'in', 'required', 'type', 'meaning'], parameters.map(parameterRow)),
    requestBody && `Body: ${contentText(requestBody.content)}`,
    ...examples('Example of a body', requestBody?.content),
    table(
      ['response', 'body', 'meaning'],
      Object.entries(responses).map(([status, response]) => responseRow(status, response)),
    ),
    ...Object.entries(responses).flatMap(([status, response]) =>
      status.startsWith('2') ? examples(`Example of ${status}`, response.content) : [],
    ),
  );
}

export function apiPage({ info, paths, components }: Description): string {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]): Route => ({ ...it, method: method.toUpperCase(), path })),
  );
  const tags = [...new Set(routes.map(({ tags: [tag = 'Other'] = [] }) => tag))];
  const tagged = (tag: string) => routes.filter(({ tags: [own = 'Other'] = [] }) => own === tag);
  return `${present(
    heading('API', '`public/openapi.json`').trimEnd(),
    `Version ${info.version}. The Worker serves the same description at \`GET /openapi.json\` for programs and at \`GET /docs\` for people.`,
    `Names are in snake_case and times in RFC 3339 UTC. Lists are \`{"items": […], "next_cursor": …}\`: request the next page with the
\`next_cursor\` of the last one, until it is null. A page can have fewer items than its \`limit\`. A row of another client is a 404,
the same as for a row that does not exist. Failures are [problems](problems.md); [limits](limits.md) and
[idempotency](../explanation/idempotency.md) hold for all routes.`,
    '## Routes',
    table(
      ['route', 'what it does'],
      routes.map(({ method, path, summary = '' }) => [
        `[\`${method} ${path}\`](#${anchor(`${method} ${path}`)})`,
        summary,
      ]),
    ),
    ...tags.map((tag) => present(`## ${tag}`, ...tagged(tag).map(routeText))),
    '## Schemas',
    ...Object.entries(components.schemas).map(([name, schema]) => schemaText(name, schema)),
  )}\n`;
}
