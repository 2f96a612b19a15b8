/** The style of the page. The Content-Security-Policy in `src/openapi/description.ts` has its hash. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --quiet: #57606a; --line: #d0d7de; --link: #0550ae; --shade: #f3f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --paper: #14171b; --quiet: #a3adb8; --line: #3a424b; --link: #8cc2ff; --shade: #20252b; }
}
html { scroll-padding-top: 7.5rem; }
body { margin: 0 auto; padding: 0 1rem 4rem; max-width: 76rem; color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
[hidden], .controls { display: none !important; }
.script .controls { display: flex !important; gap: 0.5rem; align-items: center; }
a { color: var(--link); }
section > h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2.5rem; font-size: 1.15rem; }
h3 a { color: inherit; text-decoration: none; }
h3 a:hover, h3 a:focus { text-decoration: underline; }
h4 { margin: 1rem 0 0.25rem; }
article:target, article:target h3, tr:target { background: var(--shade); }
code, pre, article.route h3, nav code { font-family: ui-monospace, monospace; }
code { font-size: 0.92em; }
pre { margin: 0.5rem 0; padding: 0.75rem; background: var(--shade); overflow-x: auto; overflow-wrap: normal; }
ul { margin: 0.25rem 0; padding-left: 1.25rem; }
li { margin: 0.25rem 0; }
summary { cursor: pointer; color: var(--link); }
input, button { padding: 0.4rem 0.6rem; border: 1px solid var(--line); border-radius: 0.25rem; color: inherit; background: var(--paper); font: inherit; }
input { flex: 1; min-width: 0; }
nav { position: sticky; top: 0; z-index: 1; margin: 0 -1rem; padding: 0.6rem 1rem; background: var(--paper); border-bottom: 1px solid var(--line); }
html:not(.script) nav { position: static; }
nav h2 { margin: 0; font-size: 1rem; }
nav ul { padding-left: 0; list-style: none; font-size: 0.9rem; }
nav ul ul { padding-left: 0.75rem; }
nav li { margin: 0; padding: 0.1rem 0; }
.script nav > ul { display: none; max-height: 70vh; overflow-y: auto; }
.script nav.open > ul { display: block; }
@media (min-width: 60rem) {
  html { scroll-padding-top: 1rem; }
  .page { display: grid; grid-template-columns: 18rem minmax(0, 1fr); gap: 2rem; align-items: start; }
  nav, html:not(.script) nav { position: sticky; margin: 0; padding: 1rem 0; max-height: 100vh; box-sizing: border-box; overflow-y: auto; border: 0; }
  .script nav > ul { display: block; max-height: none; }
  #menu-button { display: none; }
}
ul.fields { list-style: none; border-left: 1px solid var(--line); padding-left: 0.75rem; }
code.name { font-weight: bold; }
.type, .who, .result { color: var(--quiet); }
.result { margin: 0; font-size: 0.9rem; }
.text { display: block; }
.table { overflow-x: auto; }
th, td { padding: 0.25rem 1rem 0.25rem 0; text-align: left; vertical-align: top; }
td code { overflow-wrap: normal; }
`;
