/** One operation: who may ask, what it takes and what it answers. */
import { html } from 'hono/html';
import type { Access } from '../../../src/auth/authenticate.ts';
import type { Content, Operation, Schema } from './description.ts';
import { anchor, described, fields, type Html, parameter, prose, schemaName } from './schema.ts';

export interface Route extends Operation {
  readonly method: string;
  readonly path: string;
  readonly access: Access;
}

type Named = Pick<Route, 'method' | 'path'>;

const routeAnchor = ({ method, path }: Named) => anchor(method, path).toLowerCase();

export const routeLink = (route: Named): Html =>
  html`<a href="#${routeAnchor(route)}"><code>${route.method} ${route.path}</code></a>`;

const WHO = { anyone: 'Anyone', session: 'A session', runner: 'A machine token' };

function who({ access, security = [] }: Route): Html {
  const scopes = security.flatMap((one) => Object.values(one).flat());
  const rate = access.rate === 'never' ? 'never limited' : html`counted under <code>${access.rate}</code>`;
  return html`<p class="who">${WHO[access.who]}; ${scopes.map((scope) => html`<code>${scope}</code>; `)}${rate}.</p>`;
}

/** What is answered is told where it is defined. */
const answered = (content: Content = {}) =>
  Object.values(content).map(({ schema }) => html` ${described(schema)}`);

/** What is taken is told in its place. */
const taken = (content: Content, schemas: Readonly<Record<string, Schema>>) =>
  Object.entries(content).map(
    ([type, { schema }]) => html`
<div><code>${type}</code>, ${described(schema)}${fields(schemas[schemaName(schema)] ?? {})}</div>`,
  );

export const routeHtml = (route: Route, schemas: Readonly<Record<string, Schema>>): Html => html`
<article class="route" id="${routeAnchor(route)}">
<h3><a href="#${routeAnchor(route)}">${route.method} ${route.path}</a></h3>
<p>${prose(route.summary)}.</p>
${who(route)}${
  route.parameters &&
  html`
<h4>Parameters</h4>
<ul class="fields">${route.parameters.map(parameter)}
</ul>`
}${
  route.requestBody &&
  html`
<h4>Body</h4>${taken(route.requestBody.content, schemas)}`
}
<h4>Answers</h4>
<ul>${Object.entries(route.responses).map(
  ([status, { description, content }]) => html`
<li><code class="name">${status === 'default' ? 'otherwise' : status}</code> ${prose(description)}${answered(content)}</li>`,
)}
</ul>
</article>`;
