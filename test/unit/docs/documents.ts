/** The documents of the repository. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../ship/ship-files.ts';

const isMarkdown = (name: string) => name.endsWith('.md');

/** Pages of docs/ and its folders, records of decisions among them. */
export const PAGES = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter(isMarkdown)
  .map((name) => join('docs', name));

/** All documents: those of the root, then the pages. */
export const DOCUMENTS = [...readdirSync(ROOT).filter(isMarkdown), ...PAGES];
