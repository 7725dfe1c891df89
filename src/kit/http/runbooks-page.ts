/** `/docs/runbooks`: each runbook of docs/runbooks.md, at the anchor that a signal names. */
import { readFile } from 'node:fs/promises';
import { pageOf, toHtml } from './problems-page.ts';

const FILE = new URL('../../../docs/runbooks.md', import.meta.url);
export const RUNBOOKS_PATH = '/docs/runbooks';

export async function runbooksPage(): Promise<string> {
  return pageOf(
    'Runbooks of the risk engine',
    'Runbooks',
    runbooksHtml(await readFile(FILE, 'utf8')),
  );
}

/** The sections that are runbooks of one alert each. Tables of thresholds are for monitoring and left out. */
export function runbooksHtml(text: string): string {
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
