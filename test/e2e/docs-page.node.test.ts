/** The page of `GET /docs` contains the whole description as text. */
import { describe, expect, it } from 'vitest';
import { PROBLEM_CODES } from '../../src/problem.ts';
import type { Description, Schema } from '../../tools/generate/docs-page/description.ts';
import { docsPage } from '../../tools/generate/docs-page/page.ts';
import { generateOpenApi } from '../../tools/generate/openapi.ts';

const description: Description = JSON.parse(generateOpenApi());
const page = await docsPage(description);

/** Without the text of the script, in which "<" is not a tag. */
const markup = page.replace(/<script>[\s\S]*<\/script>/, '');
const all = (pattern: RegExp, text = page) => [...text.matchAll(pattern)].map(([, found = '']) => found);
/** The visible text. */
const textOf = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/\n+/g, '\n')
    .replaceAll(/ +/g, ' ');
/** The article under this heading. */
const article = (heading: string) =>
  page
    .split('<article')
    .find((part) => all(/<h3>(.*)<\/h3>/g, part).some((own) => textOf(own) === heading)) ?? '';

const routes = Object.entries(description.paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => ({
    line: `${method.toUpperCase()} ${path}`,
    operation,
  })),
);

describe('every operation', () => {
  it.each(routes)('$line is on the page with its whole description', ({ line, operation }) => {
    const text = textOf(article(line));
    const { summary, operationId, description = '', parameters = [], requestBody, responses } = operation;
    expect(text).toContain(`${summary}. ${operationId}\n`);
    expect(text).toContain(description.replaceAll('`', ''));
    for (const { name, in: place, description = '' } of parameters) {
      expect(text).toContain(name);
      expect(text).toContain(`in the ${place}`);
      expect(text).toContain(description.replaceAll('`', ''));
    }
    expect(text.includes('\nBody\n')).toBe(requestBody !== undefined);
    for (const [status, response] of Object.entries(responses)) {
      const { description, 'x-problem-codes': codes } = response;
      if (codes) expect(text).toContain(`\n${status} ${codes.join(' ')}`);
      else if (status !== 'default') expect(text).toContain(`\n${status} ${description.replaceAll('`', '')}`);
    }
  });

  it.each(routes)('$line has its examples', ({ line, operation: { requestBody, responses } }) => {
    const examples = all(/<pre><code>([\s\S]*?)<\/code><\/pre>/g, article(line)).map(textOf);
    const contents = [requestBody, ...Object.values(responses)].flatMap((body) =>
      Object.values(body?.content ?? {}),
    );
    const expected = contents.flatMap(({ example }) => (example === undefined ? [] : [example]));
    expect(expected.length).toBeGreaterThan(requestBody ? 1 : 0);
    expect(examples.map((text) => JSON.parse(text))).toEqual(expected);
  });

  it.each([
    ['GET /health', 'Anyone; never limited.'],
    ['GET /ready', 'Anyone; counted under reads.'],
    ['GET /clients', 'A session; counted under reads.'],
    ['POST /clients', 'A session; counted under changes.'],
    ['PUT /clients/{id}/rotate-key', 'A session; key_change; counted under changes.'],
    ['DELETE /clients/{id}/revoke-key', 'A session; ending; never limited.'],
    ['POST /bots/{id}/sign', 'A machine token; signing; counted under signing.'],
    ['POST /bots/{id}/heartbeat', 'A machine token; counted under reads.'],
  ])('%s names its callers: %s', (line, who) => {
    expect(all(/<p class="who">(.*)<\/p>/g, article(line)).map(textOf)).toEqual([who]);
  });

  it('shows the fields of its request body in place', () => {
    const text = textOf(article('PUT /clients/{id}/rotate-key'));
    expect(text).toContain('private_key required PrivateKey\n');
    expect(text).toMatch(/\naddress string, at most 128 characters/);
  });
});

describe('every schema', () => {
  it.each(Object.keys(description.components.schemas))('%s is on the page with its fields', (name) => {
    const schema = description.components.schemas[name] ?? {};
    const own = article(name);
    const named = all(/<code class="name">(.*?)<\/code>/g, own);
    for (const field of Object.keys(schema.properties ?? {})) {
      expect(named).toContain(field);
      const isRequired = schema.required?.includes(field) ?? false;
      expect(own).toContain(
        `<code class="name">${field}</code> ${isRequired ? '<strong>required' : '<span'}`,
      );
    }
    expect(textOf(own)).toContain((schema.description ?? '').replaceAll('`', ''));
  });

  it.each([
    ['Client', /\nname required string/],
    ['Problem', /\ncode required ProblemCode\n/],
    ['ProblemCode', /\nstring, a problem code /],
    ['Policy', /\nkinds required array or null of SigningKind\n/],
    ['SigningKind', /\nstring, one of evm\.transaction evm\.typed_data/],
    ['PolicyRequest', /, as \^\(0\|\[1-9\]\\d\{0,77\}\)\$, such as 1000000000000000000/],
    ['KeyEvent', /\nchain required string or null, one of evm solana\n/],
    ['RunnerBot', /\nconfig required object, any fields\n/],
    [
      'HeartbeatRequest',
      /\nmetrics object, any fields of number or boolean or string, at most 200 characters/,
    ],
    ['WalletRequest', /\nobject, no other fields [\s\S]*\nprivate_key PrivateKey\n/],
    [
      'PrivateKey',
      /\none of these, password, never returned EVM: .*string, at most 1024 characters\s*array of integer, 0 to 255, at most 128 items\n/,
    ],
    ['AddedWallet', /Wallet with object\nbot_id required string, uuid/],
    ['SignRequest', /type required string, evm\.typed_data/],
    ['BotSummary', /\nwallets required array of Wallet/],
    [
      'BotHealth',
      /\nlast_heartbeat required object or null\nstatus required string, one of ok degraded failing/,
    ],
  ])('%s is shown as %s', (name, text) => {
    expect(textOf(article(name))).toMatch(text);
  });
});

it('omits no keyword of any schema', () => {
  const KNOWN =
    '$ref type description properties required additionalProperties items allOf anyOf oneOf enum format pattern minLength maxLength minimum maximum maxItems default example writeOnly'.split(
      ' ',
    );
  const words = new Set<string>();
  const look = (schema: Schema) => {
    for (const word of Object.keys(schema)) words.add(word);
    const { properties = {}, items = [], allOf = [], anyOf = [], oneOf = [] } = schema;
    const others = schema.additionalProperties;
    // The page does not say so of an object that allows other fields without a schema.
    expect(others).not.toBe(true);
    const parts = [Object.values(properties), items, allOf, anyOf, oneOf].flat(2);
    for (const part of [...parts, ...(typeof others === 'object' ? [others] : [])]) look(part);
  };
  const bodies = routes.flatMap(({ operation: { requestBody, responses } }) =>
    [requestBody, ...Object.values(responses)].flatMap((body) => Object.values(body?.content ?? {})),
  );
  const taken = routes.flatMap(({ operation }) => operation.parameters ?? []);
  for (const { schema } of [...bodies, ...taken]) look(schema);
  for (const schema of Object.values(description.components.schemas)) look(schema);
  expect(words.size).toBeGreaterThan(15);
  expect([...words].filter((word) => !KNOWN.includes(word))).toEqual([]);
});

describe('the script', () => {
  const script = all(/<script>([\s\S]*?)<\/script>/g)[0] ?? '';

  it('requests nothing, and writes no HTML', () => {
    expect(script).not.toMatch(
      /fetch|XMLHttpRequest|import|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|\.src\b/,
    );
  });

  it('finds in the page every element that it names', () => {
    const ids = all(/byId\('([a-z-]+)'\)/g, script);
    expect(ids.length).toBeGreaterThan(3);
    for (const id of ids) expect(page).toContain(` id="${id}"`);
  });

  it('can search each operation, schema and problem code', () => {
    const found = all(/ id="([^"]*)" data-search/g);
    const { schemas } = description.components;
    expect(found).toHaveLength(routes.length + Object.keys(schemas).length + PROBLEM_CODES.length);
  });
});

it('lists every problem code once, with its remedy', () => {
  const [, problems = ''] = page.split('<h2 id="problems">');
  expect(all(/<td><code>(\w+)<\/code><\/td>/g, problems)).toEqual(PROBLEM_CODES);
});

describe('the page', () => {
  it('needs nothing but itself, and runs nothing but its one script', () => {
    expect(page.match(/<script\b/gi)).toHaveLength(1);
    expect(page).not.toMatch(/<(link|img|iframe|object|embed|form|base|svg|meta http-equiv)\b/i);
    expect(page).not.toMatch(/<[^>]+\s(on\w+|style|src|srcset)=/i);
    expect(page.match(/<style>[\s\S]*<\/style>/)?.[0]).not.toMatch(/url\(|@import/);
    expect(all(/href="([^"#][^"]*)"/g)).toEqual(['openapi.json']);
  });

  it('has a target for every link, and no anchor twice', () => {
    const ids = all(/\sid="([^"]*)"/g);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i || !/^[A-Za-z][A-Za-z0-9_-]*$/.test(id))).toEqual([]);
    const links = all(/href="#([^"]*)"/g, markup);
    expect(links.length).toBeGreaterThan(routes.length);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('has its headings in order, with one of the first level', () => {
    const levels = all(/<h([1-6])\b/g).map(Number);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    expect(levels.filter((level, i) => level > (levels[i - 1] ?? 0) + 1)).toEqual([]);
  });

  it('closes every tag that it opens', () => {
    const open: string[] = [];
    for (const [, end, name = ''] of markup.replace(/<!doctype html>/, '').matchAll(/<(\/?)(\w+)[^>]*>/g)) {
      if (name === 'meta' || name === 'input') continue;
      if (end) expect(open.pop()).toBe(name);
      else {
        // HTML closes a paragraph before these by itself, so the page would differ from its source.
        if (/^(ul|ol|div|p|pre|table|h\d|article)$/.test(name)) expect(open).not.toContain('p');
        open.push(name);
      }
    }
    expect(open).toEqual([]);
  });
});

it('escapes every text of the description', async () => {
  const evil = `"'><img src=x onerror=alert(1)></style><script>alert(1)</script>&amp;\``;
  const hostile = (value: unknown): unknown => {
    if (typeof value === 'string') return evil;
    if (Array.isArray(value)) return value.map(hostile);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hostile(member)]));
  };
  const { info, components, paths } = description;
  const names = (object: object) =>
    Object.fromEntries(Object.entries(object).map(([name, value], i) => [`${i}${evil}${name}`, value]));
  const written = await docsPage({
    info: hostile(info) as Description['info'],
    tags: [{ name: evil, description: evil }],
    paths: names(
      Object.fromEntries(
        Object.entries(paths).map(([path, operations]) => [path, names(hostile(operations) as object)]),
      ),
    ),
    components: {
      schemas: names(hostile(components.schemas) as object),
      securitySchemes: names(hostile(components.securitySchemes) as object),
    },
  });
  expect(all(/<style>([\s\S]*?)<\/style>/g, written)).toEqual(all(/<style>([\s\S]*?)<\/style>/g));
  expect(all(/<script>([\s\S]*?)<\/script>/g, written)).toEqual(all(/<script>([\s\S]*?)<\/script>/g));
  expect(all(/<(\w+)/g, written).filter((name) => /^(img|script)$/.test(name))).toEqual(['script']);
  // No tag has an attribute that the page itself has not.
  const shapes = (html: string) =>
    new Set(all(/<(\w[^>]*)>/g, html).map((tag) => tag.replaceAll(/(id|href)="[^"<>']*"/g, '$1')));
  expect([...shapes(written)].filter((shape) => !shapes(page).has(shape))).toEqual([]);
  expect(textOf(written)).toContain(evil.replaceAll('`', ''));
});
