/** The page's whole style. Its hash stands in the policy that the Worker answers with: `src/openapi/description.ts`. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --quiet: #57606a; --line: #d0d7de; --link: #0550ae; --shade: #f3f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --paper: #14171b; --quiet: #a3adb8; --line: #3a424b; --link: #8cc2ff; --shade: #20252b; }
}
body { margin: 0 auto; padding: 1rem; max-width: 60rem; color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2.5rem; font-size: 1.15rem; }
h3 a { color: inherit; text-decoration: none; }
h3 a:hover, h3 a:focus { text-decoration: underline; }
h4 { margin: 1rem 0 0.25rem; }
article:target, article:target h3 { background: var(--shade); }
code, pre, article.route h3 { font-family: ui-monospace, monospace; }
code { font-size: 0.92em; }
pre { padding: 0.75rem; background: var(--shade); overflow-x: auto; overflow-wrap: normal; }
ul { margin: 0.25rem 0; padding-left: 1.25rem; }
li { margin: 0.25rem 0; }
nav > ul { columns: 20rem; }
nav > ul > li { margin: 0; padding: 0.1rem 0; break-inside: avoid; }
ul.fields { list-style: none; border-left: 1px solid var(--line); padding-left: 0.75rem; }
code.name { font-weight: bold; }
.type, .who { color: var(--quiet); }
.text { display: block; }
th, td { padding: 0.25rem 1rem 0.25rem 0; text-align: left; vertical-align: top; }
`;
