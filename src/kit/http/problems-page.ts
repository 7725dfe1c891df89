/** `/docs/problems`: each type of problem with its cure, at the anchor that `help` of a problem names. */

import { readFile } from 'node:fs/promises';
import { PROBLEM_NAMES, PROBLEMS, problemUrn } from './answers/problem-types.ts';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; color-scheme: light dark }
section { border-top: 1px solid; padding: .5rem 0; scroll-margin-top: 1rem }
section:target { outline: 2px solid; outline-offset: .5rem }
h2 { font-size: 1.1rem; margin: .5rem 0 } code { font-size: .9em }`;

const FILE = new URL('../../../docs/runbooks.md', import.meta.url);
export const RUNBOOKS_PATH = '/docs/runbooks';

export function problemsPage(): string {
  const sections = PROBLEM_NAMES.map((name) => {
    const { status, title, meaning, cure } = PROBLEMS[name];
    return `<section id="${name}">
<h2>${status} ${escapeHtml(title)}</h2>
<p><code>${problemUrn(name)}</code></p>
<p>${toHtml(meaning)}</p>
<p><strong>What to do:</strong> ${toHtml(cure)}</p>
</section>`;
  });
  const lead = `<p>Every error answer has one of these types. <a href="/docs">The API's document</a> says which an operation may answer.</p>`;
  return pageOf('Problems of the risk engine API', 'Problems', [lead, ...sections].join('\n'));
}

/** @param body HTML */
export function pageOf(title: string, heading: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${heading}</h1>
${body}
</main>
</body>
</html>
`;
}

/** Text with code in backticks. */
export function toHtml(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** `/docs/runbooks`: each runbook of docs/runbooks.md, at the anchor that a signal names. */
export async function runbooksPage(): Promise<string> {
  return pageOf(
    'Runbooks of the risk engine',
    'Runbooks',
    runbooksHtml(await readFile(FILE, 'utf8')),
  );
}

/** The sections that are runbooks of one alert each. Tables of thresholds are for monitoring and left out. */
function runbooksHtml(text: string): string {
  const sections = text.split(/^#{2,3} /m).filter((section) => section.includes('- **First**'));
  return sections
    .map((section) => {
      const [title = '', ...lines] = section.split('\n');
      const bullets = lines.join('\n').split(/^- /m).slice(1);
      const list = bullets.map((bullet) => `<li>${inline(bullet.trim())}</li>`);
      return `<section id="${anchorOf(title)}"><h2>${toHtml(title)}</h2><ul>${list.join('\n')}</ul></section>`;
    })
    .join('\n');
}

/** The anchor that GitHub gives a heading. */
const anchorOf = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');

/** Other pages of the documents are not served, so a link to one becomes its text. */
const inline = (text: string) =>
  toHtml(text)
    .replaceAll(/\[([^\]]+)\]\((#[^)]+)\)/g, '<a href="$2">$1</a>')
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replaceAll(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>');
