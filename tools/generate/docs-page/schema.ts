/** Describes a schema: the type and limits of a value, and its fields. */
import { html } from 'hono/html';
import { PROBLEM_CODES } from '../../../src/problem.ts';
import type { Parameter, Schema } from './description.ts';

/** HTML in which all inserted values are escaped. */
export type Html = ReturnType<typeof html>;

/** An anchor of this page: `post-bots-id-sign`. */
export const anchor = (...names: readonly string[]): string =>
  names
    .join('-')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replace(/-$/, '');

/** The name of the schema in a reference. Empty if the schema is given in place. */
export const schemaName = ({ $ref = '' }: Schema): string => $ref.split('/').at(-1) ?? '';

const code = (value: unknown) =>
  html`<code>${typeof value === 'string' ? value : JSON.stringify(value)}</code>`;

const joined = (parts: readonly unknown[], between: string) =>
  parts.map((part, i) => (i === 0 ? part : [between, part]));

/** Converts backticks of a description to code. */
export const prose = (text = '') => text.split('`').map((part, i) => (i % 2 === 1 ? code(part) : part));

/** The type of a schema, its description and its fields. */
export function described(schema: Schema): Html {
  const texts = [schema, ...(schema.allOf ?? [])].flatMap(({ description }) => description ?? []);
  return html`<span class="type">${kind(schema)}</span>${texts.map(
    (text) => html` <span class="text">${prose(text)}</span>`,
  )}${fields(schema)}`;
}

/** The type and limits of a value in one phrase: `string, 1 to 200 characters`. */
function kind(schema: Schema): unknown {
  if (schema.$ref !== undefined) {
    const name = schemaName(schema);
    return html`<a href="#${anchor('schema', name)}">${name}</a>`;
  }
  if (schema.allOf) return joined(schema.allOf.filter(isOfAKind).map(kind), ' with ');
  const types = [schema.type ?? []].flat().join(' or ');
  const name = (schema.anyOf ?? schema.oneOf) ? 'one of these' : types;
  return joined([schema.items ? [name, ' of ', kind(schema.items)] : name, ...limits(schema)], ', ');
}

const isOfAKind = ({ description: _, ...rest }: Schema) => Object.keys(rest).length > 0;

function* limits(schema: Schema): Generator<unknown> {
  if (schema.format !== undefined) yield schema.format;
  yield* range(schema.minLength, schema.maxLength, ' characters');
  yield* range(schema.minimum, schema.maximum);
  yield* range(undefined, schema.maxItems, ' items');
  if (schema.pattern !== undefined) yield ['as ', code(schema.pattern)];
  if (schema.enum) yield oneOf(schema.enum.filter((value) => value !== null));
  if (schema.default !== undefined) yield [code(schema.default), ' if absent'];
  if (schema.writeOnly) yield 'never returned';
  if (schema.additionalProperties === false) yield 'no other fields';
  if (typeof schema.additionalProperties === 'object') yield 'any fields';
  // UUIDs and times need no example, because the name of their format is enough.
  if (schema.example !== undefined && schema.format === undefined) yield ['such as ', code(schema.example)];
}

function* range(least: number | undefined, most: number | undefined, unit = '') {
  if (least !== undefined && most !== undefined) yield `${least} to ${most}${unit}`;
  else if (least !== undefined) yield `at least ${least}${unit}`;
  else if (most !== undefined) yield `at most ${most}${unit}`;
}

function oneOf(values: readonly unknown[]) {
  if (values.join() === PROBLEM_CODES.join()) return html`a <a href="#problems">problem code</a>`;
  return values.length === 1 ? code(values[0]) : ['one of ', joined(values.map(code), ' ')];
}

/** The fields of an object, of the items of an array, or of the parts of an alternative. */
export function fields(schema: Schema): unknown {
  const { properties, required = [], items, allOf } = schema;
  const choices = schema.anyOf ?? schema.oneOf;
  if (allOf) return allOf.map(fields);
  if (choices) return html`<ul>${choices.map((one) => html`<li>${described(one)}</li>`)}</ul>`;
  if (items) return fields(items);
  if (!properties) return '';
  return html`
<ul class="fields">${Object.entries(properties).map(([name, field]) =>
    fieldItem(name, required.includes(name), '', field),
  )}
</ul>`;
}

const fieldItem = (name: string, required: boolean, place: string, schema: Schema) => html`
<li><code class="name">${name}</code> ${required && html`<strong>required</strong> `}${place}${described(schema)}</li>`;

export const parameter = ({ name, required = false, schema, description, ...it }: Parameter): Html =>
  fieldItem(
    name,
    required,
    `in the ${it.in}, `,
    description === undefined ? schema : { ...schema, description },
  );
