/** `GET /docs`: the description of the API for people. One page without a script, which needs nothing but itself. */
import { html, raw } from 'hono/html';
import type { Access } from '../../../src/auth/authenticate.ts';
import { PROBLEM_CODES, Problem } from '../../../src/problem.ts';
import type { Description } from './description.ts';
import { type Route, routeHtml, routeLink } from './operation.ts';
import { anchor, described, prose } from './schema.ts';
import { STYLE } from './style.ts';

type AccessOf = (path: string, method: string) => Access;

/** The text of the page. */
export async function docsPage(description: Description, accessOf: AccessOf): Promise<string> {
  const { info, components } = description;
  const groups = [...Map.groupBy(routesOf(description, accessOf), ({ tags = [] }) => tags[0] ?? 'Other')];
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
<p>${prose(info.description)} Programs read the same at <a href="openapi.json"><code>openapi.json</code></a>.</p>
</header>
<nav aria-labelledby="contents">
<h2 id="contents">Contents</h2>
<ul>
<li><a href="#authentication">Authentication</a></li>
<li><a href="#flows">The two flows</a></li>
<li><a href="#conventions">What all routes share</a></li>${groups.map(
    ([tag, routes]) => html`
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
<h2 id="authentication">Authentication</h2>
<p>Send <code>Authorization: Bearer</code> and a token. Which kind, each route says.</p>
<ul>${Object.entries(components.securitySchemes).map(
    ([name, scheme]) => html`
<li><code class="name">${name}</code> ${prose(scheme.description)}</li>`,
  )}
</ul>
<p>Supabase Auth gives a session for an e-mail and a password:</p>
<pre><code>curl "$SUPABASE_URL/auth/v1/token?grant_type=password" -H "apikey: $SUPABASE_PUBLISHABLE_KEY" \\
  -H 'content-type: application/json' -d '{"email": "…", "password": "…"}'   # answers access_token
curl "$API/clients/me" -H "authorization: Bearer $ACCESS_TOKEN"</code></pre>
${FLOWS}
${CONVENTIONS}
${groups.map(
  ([tag, routes]) => html`
<h2 id="${anchor('tag', tag)}">${tag}</h2>${routes.map((route) => routeHtml(route, components.schemas))}`,
)}
<h2 id="schemas">Schemas</h2>${Object.entries(components.schemas).map(
    ([name, schema]) => html`
<article id="${anchor('schema', name)}">
<h3><a href="#${anchor('schema', name)}">${name}</a></h3>
<div>${described(schema)}</div>
</article>`,
  )}
<h2 id="problems">Problems</h2>
<p>What is refused is answered as <code>application/problem+json</code> (RFC 9457, <a href="#schema-Problem">Problem</a>). The
codes are a closed set and never change.</p>
<table>
<thead><tr><th scope="col">Status</th><th scope="col">Code</th><th scope="col">What to do</th></tr></thead>
<tbody>${PROBLEM_CODES.map((code) => new Problem(code)).map(
    ({ status, code, remedy }) => html`
<tr id="${`problem-${code}`}"><td>${status}</td><td><code>${code}</code></td><td>${remedy}</td></tr>`,
  )}
</tbody>
</table>
</main>
</body>
</html>
`;
  return page.toString();
}

const routesOf = ({ paths }: Description, accessOf: AccessOf): Route[] =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([name, operation]) => {
      const method = name.toUpperCase();
      return { ...operation, method, path, access: accessOf(path.replaceAll(/\{(\w+)\}/g, ':$1'), method) };
    }),
  );

/** A link of the text below. That it leads somewhere is tested. */
const to = (line: string) => {
  const [method = '', path = ''] = line.split(' ');
  return routeLink({ method, path });
};

const FLOWS = html`<h2 id="flows">The two flows</h2>
<h3>Option 1: an admin puts in the key</h3>
<ol>
<li>${to('POST /clients')} creates the client; the account with its confirmed e-mail is linked.</li>
<li>${to('POST /bots/create')} creates a bot with wallets and their keys; without, it uses the client's trading key.</li>
<li>${to('POST /bots/{id}/start')} starts it.</li>
</ol>
<h3>Option 2: a client serves itself</h3>
<ol>
<li>${to('GET /clients/me')} says its id, ${to('GET /clients/{id}/bot-options')} which bots there are.</li>
<li>${to('POST /clients/{id}/setup-bot')} takes the key; the bot starts at once.</li>
<li>${to('PUT /clients/{id}/rotate-key')} gives every wallet another key.</li>
<li>${to('DELETE /clients/{id}/revoke-key')} stops every bot and deletes every ciphertext.</li>
</ol>
<h3>Then the bot trades</h3>
<ol>
<li>${to('POST /bots/{id}/tokens')} issues a machine token, ${to('PUT /bots/{id}/policy')} says what it may have signed.</li>
<li>${to('GET /runner/bots')} lists what the runner runs, ${to('GET /runner/bots/{id}')} returns a bot's config, ${to('POST /bots/{id}/sign')} returns signatures, never keys.</li>
<li>${to('POST /bots/{id}/heartbeat')} says how it does, ${to('GET /bots/{id}/health')} shows it.</li>
</ol>`;

const CONVENTIONS = html`<h2 id="conventions">What all routes share</h2>
<ul>
<li>Bodies and answers are JSON in UTF-8, a body of at most 64 KiB; times are RFC 3339 in UTC. Fields that a body does not have are refused.</li>
<li>A page of a list has <code>next_cursor</code>: send it as <code>cursor</code> for the page after it, until it is null.</li>
<li>What somebody else owns is answered as what does not exist: 404.</li>
<li>Every answer has an <code>X-Request-Id</code>. No answer is to be cached.</li>
<li>How often a caller may ask stands in <code>RateLimit-Policy</code>, under the name that each route says; beyond it is 429 with <code>Retry-After</code>.</li>
<li>Where an answer was lost, send the request again under the same <code>Idempotency-Key</code>.</li>
</ul>`;
