/**
 * The one stylesheet of our pages. It follows the system's light or dark setting; text has a contrast of at least 4.5
 * to 1 on what it stands on (WCAG 2.2, 1.4.3). No font and no image is fetched.
 */
import { makeAsset } from './asset.ts';

const css = `
:root {
	color-scheme: light dark;
	--ground: #ffffff;
	--raised: #f2f4f7;
	--line: #c9d0d9;
	--text: #1b2430;
	--soft: #4a5665;
	--link: #0b4f94;
}
@media (prefers-color-scheme: dark) {
	:root {
		--ground: #1c2022;
		--raised: #282d31;
		--line: #4b545d;
		--text: #e8ecef;
		--soft: #b4bec8;
		--link: #93c1f5;
	}
}
*, ::before, ::after { box-sizing: border-box; }
html { background: var(--ground); }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.6 system-ui, sans-serif; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
[tabindex='-1']:focus { outline: none; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: 0.5rem 1rem; background: var(--ground); }
.skip:focus { top: 0.5rem; }
.bar { border-bottom: 1px solid var(--line); }
.bar nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: baseline; }
.bar nav, main.text { max-width: 46rem; margin: 0 auto; padding: 1rem 1.25rem; }
.bar b { margin-right: auto; font-size: 1.125rem; }
.bar a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none; }
main.text { padding-bottom: 4rem; }
main.text h1 { margin: 1.5rem 0 0.25rem; font-size: 1.75rem; line-height: 1.25; }
main.text h2 { margin: 2rem 0 0.5rem; font-size: 1.125rem; }
main.text p { margin: 0 0 1rem; }
.facts { color: var(--soft); }
.codes { margin: 0; padding: 0; list-style: none; }
.codes li { padding: 0.5rem 0; border-top: 1px solid var(--line); }
.codes a { display: inline-block; min-width: 15rem; }
main.text :is(code, pre) { font: 0.9em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
main.text pre code { font-size: 1em; }
main.text :not(pre) > code { padding: 0.1em 0.3em; border-radius: 3px; background: var(--raised); }
main.text .codes a code { background: none; padding: 0; }
main.text pre { margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: 4px; background: var(--raised); white-space: pre-wrap; }
.note { max-width: 46rem; margin: 2rem auto; padding: 0 1.25rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

export const style = makeAsset('fairlead.css', new TextEncoder().encode(css.trimStart()));
