/** One operation: its security, parameters, body and responses, with examples. */
import { html } from 'hono/html';
import type { Content, Operation, Response, Schema } from './description.ts';
import { anchor, described, fields, type Html, parameter, prose, schemaName } from './schema.ts';

export interface Route extends Operation {
  readonly method: string;
  readonly path: string;
}

type Named = Pick<Route, 'method' | 'path'>;

const routeAnchor = ({ method, path }: Named) => anchor(method, path).toLowerCase();

export const routeLink = (route: Named): Html =>
  html`<a href="#${routeAnchor(route)}"><code>${route.method} ${route.path}</code></a>`;

const WHO: Readonly<Record<string, string>> = { session: 'A session', machine_token: 'A machine token' };

function who({ security = [], 'x-rate-limit': rate }: Route): Html {
  const [scheme] = security.flatMap(Object.keys);
  const scopes = security.flatMap((one) => Object.values(one).flat());
  const limit = rate === 'never' ? 'never limited' : html`counted under <code>${rate}</code>`;
  return html`<p class="who">${scheme === undefined ? 'Anyone' : WHO[scheme]}; ${scopes.map((scope) => html`<code>${scope}</code>; `)}${limit}.</p>`;
}

/** The description of a response. Its fields are listed at the definition of the schema. */
const responded = (content: Content = {}) =>
  Object.values(content).map(({ schema }) => html` ${described(schema)}`);

/** The description of a body with its fields. */
const taken = (content: Content, schemas: Readonly<Record<string, Schema>>) =>
  Object.entries(content).map(
    ([type, { schema }]) => html`
<div><code>${type}</code>, ${described(schema)}${fields(schemas[schemaName(schema)] ?? {})}</div>`,
  );

const example = (title: string, content: Content = {}) =>
  Object.values(content)
    .filter((media) => media.example !== undefined)
    .map(
      (media) => html`
<details><summary>${title}</summary>
<pre><code>${JSON.stringify(media.example, null, 2)}</code></pre></details>`,
    );

const statusItem = ([status, { description, content }]: [string, Response]) => html`
<li><code class="name">${status}</code> ${prose(description)}${responded(content)}${example(`Example of ${status}`, content)}</li>`;

const problemItem = ([status, { 'x-problem-codes': codes = [] }]: [string, Response]) => html`
<li><code class="name">${status}</code> ${codes.map((code) => html`<a href="#${`problem-${code}`}"><code>${code}</code></a> `)}</li>`;

export function routeHtml(route: Route, schemas: Readonly<Record<string, Schema>>): Html {
  const all = Object.entries(route.responses).filter(([status]) => status !== 'default');
  const succeeded = all.filter(([, response]) => response['x-problem-codes'] === undefined);
  const problems = all.filter(([, response]) => response['x-problem-codes'] !== undefined);
  return html`
<article class="route" id="${routeAnchor(route)}" data-search>
<h3><a href="#${routeAnchor(route)}">${route.method} ${route.path}</a></h3>
<p>${prose(route.summary)}. <span class="type"><code>${route.operationId}</code></span></p>${
    route.description &&
    html`
<p>${prose(route.description)}</p>`
  }
${who(route)}${
  route.parameters &&
  html`
<h4>Parameters</h4>
<ul class="fields">${route.parameters.map(parameter)}
</ul>`
}${
  route.requestBody &&
  html`
<h4>Body</h4>${taken(route.requestBody.content, schemas)}${example('Example of a body', route.requestBody.content)}`
}
<h4>Responses</h4>
<ul>${succeeded.map(statusItem)}
</ul>
<h4>Problems</h4>
<ul>${problems.map(problemItem)}
</ul>
</article>`;
}
