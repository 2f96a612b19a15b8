/** Writes the page of `GET /docs`: the description of the API for people. The page works without its script. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { html, raw } from 'hono/html';
import { PROBLEM_CODES, Problem } from '../../../src/problem.ts';
import type { Description } from './description.ts';
import { type Route, routeHtml, routeLink } from './operation.ts';
import { anchor, described, prose } from './schema.ts';
import { STYLE } from './style.ts';

const SCRIPT = readFileSync(join(import.meta.dirname, 'menu.js'), 'utf8');

/** The text of the page. */
export async function docsPage(description: Description): Promise<string> {
  const { info, tags, components } = description;
  const routes = Map.groupBy(routesOf(description), (route) => route.tags?.[0] ?? '');
  const groups = tags.map(({ name, description }) => ({
    tag: name,
    description,
    routes: routes.get(name) ?? [],
  }));
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}: the API</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<header>
<h1>${info.title} ${info.version}</h1>
<p>${prose(info.description)} Programs read <a href="openapi.json"><code>openapi.json</code></a>.</p>
</header>
<div class="page">
<nav id="menu" aria-labelledby="contents">
<h2 id="contents">Contents</h2>
<div class="controls"><input id="search" type="search" placeholder="Search (/)" aria-label="Search" autocomplete="off" spellcheck="false"><button id="menu-button" type="button" aria-expanded="false" aria-controls="menu-list">Menu</button></div>
<p class="result" id="search-result" role="status"></p>
<ul id="menu-list">
<li><a href="#authentication">Authentication</a></li>
<li><a href="#flows">The two flows</a></li>
<li><a href="#conventions">What all routes share</a></li>${groups.map(
    ({ tag, routes }) => html`
<li><a href="#${anchor('tag', tag)}">${tag}</a>
<ul>${routes.map(
      (route) => html`
<li>${routeLink(route)}</li>`,
    )}
</ul></li>`,
  )}
<li><a href="#schemas">Schemas</a></li>
<li><a href="#problems">Problems</a></li>
</ul>
</nav>
<main>
<section>
<h2 id="authentication">Authentication</h2>
<p>Send <code>Authorization: Bearer</code> and a token. Each route states which kind it takes.</p>
<ul>${Object.entries(components.securitySchemes).map(
    ([name, scheme]) => html`
<li><code class="name">${name}</code> ${prose(scheme.description)}</li>`,
  )}
</ul>
<p>Supabase Auth issues a session for an e-mail address and a password:</p>
<pre><code>curl "$SUPABASE_URL/auth/v1/token?grant_type=password" -H "apikey: $SUPABASE_PUBLISHABLE_KEY" \\
  -H 'content-type: application/json' -d '{"email": "…", "password": "…"}'   # returns access_token
curl "$API/clients/me" -H "authorization: Bearer $ACCESS_TOKEN"</code></pre>
</section>
${FLOWS}
${CONVENTIONS}
${groups.map(
  ({ tag, description, routes }) => html`
<section>
<h2 id="${anchor('tag', tag)}">${tag}</h2>
<p>${prose(description)}</p>${routes.map((route) => routeHtml(route, components.schemas))}
</section>`,
)}
<section>
<h2 id="schemas">Schemas</h2>${Object.entries(components.schemas).map(
    ([name, schema]) => html`
<article id="${anchor('schema', name)}" data-search>
<h3><a href="#${anchor('schema', name)}">${name}</a></h3>
<div>${described(schema)}</div>
</article>`,
  )}
</section>
<section>
<h2 id="problems">Problems</h2>
<p>A rejected request gets <code>application/problem+json</code> (RFC 9457, <a href="#schema-Problem">Problem</a>). Each route
lists the codes that it can respond with.</p>
<div class="table">
<table>
<thead><tr><th scope="col">Status</th><th scope="col">Code</th><th scope="col">What to do</th></tr></thead>
<tbody>${PROBLEM_CODES.map((code) => new Problem(code)).map(
    ({ status, code, remedy }) => html`
<tr id="${`problem-${code}`}" data-search><td>${status}</td><td><code>${code}</code></td><td>${remedy}</td></tr>`,
  )}
</tbody>
</table>
</div>
</section>
</main>
</div>
<script>${raw(SCRIPT)}</script>
</body>
</html>
`;
  return page.toString();
}

const routesOf = ({ paths }: Description): Route[] =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([name, operation]) => ({
      ...operation,
      method: name.toUpperCase(),
      path,
    })),
  );

/** A link to an operation. A test follows each link. */
const to = (line: string) => {
  const [method = '', path = ''] = line.split(' ');
  return routeLink({ method, path });
};

const FLOWS = html`<section>
<h2 id="flows">The two flows</h2>
<h3>Option 1: an admin submits the key</h3>
<ol>
<li>${to('POST /clients')} creates the client. The account that confirms its e-mail address is linked to it.</li>
<li>${to('POST /bots/create')} creates a bot with wallets and their keys. Without keys it uses the client's trading key.</li>
<li>${to('POST /bots/{id}/start')} starts the bot.</li>
</ol>
<h3>Option 2: a client sets up its own bot</h3>
<ol>
<li>${to('GET /clients/me')} returns the id of the client, ${to('GET /clients/{id}/bot-options')} the bot types.</li>
<li>${to('POST /clients/{id}/setup-bot')} takes the private key and starts the bot.</li>
<li>${to('PUT /clients/{id}/rotate-key')} replaces the key in every wallet.</li>
<li>${to('DELETE /clients/{id}/revoke-key')} stops every bot and deletes every ciphertext.</li>
</ol>
<h3>Then the bot trades</h3>
<ol>
<li>${to('POST /bots/{id}/tokens')} issues a machine token, ${to('PUT /bots/{id}/policy')} sets what the bot may sign.</li>
<li>${to('GET /runner/bots')} lists the bots of a runner, ${to('GET /runner/bots/{id}')} returns a bot with its config, ${to('POST /bots/{id}/sign')} returns signatures and never keys.</li>
<li>${to('POST /bots/{id}/heartbeat')} reports the state of the bot, ${to('GET /bots/{id}/health')} returns it.</li>
</ol>
</section>`;

const CONVENTIONS = html`<section>
<h2 id="conventions">What all routes share</h2>
<ul>
<li>Requests and responses are JSON in UTF-8. A request body has at most 64 KiB, and one that signs an EVM transaction 512 KiB. Times are RFC 3339 in UTC. A body with an unknown field is rejected.</li>
<li>A page of a list has <code>next_cursor</code>. Send it as <code>cursor</code> to get the next page. On the last page it is null.</li>
<li>A row of another client gets the same 404 as a row that does not exist.</li>
<li>Every response has an <code>X-Request-Id</code>. No response may be cached.</li>
<li><code>RateLimit-Policy</code> states how many calls a caller may make, under the name that each route lists. More calls get 429 with <code>Retry-After</code>.</li>
<li>If no response arrived, send the same request again with the same <code>Idempotency-Key</code>.</li>
</ul>
</section>`;
