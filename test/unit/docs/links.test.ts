/** Every relative link and every file named in the documents or in comments exists; every ADR is in the index. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSources } from '../../support/source-files.ts';
import { ROOT, readText } from '../ship/ship-files.ts';
import { DOCUMENTS } from './documents.ts';

function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('documents', () => {
  it('have one page for each room', () => {
    for (const room of readdirSync(`${ROOT}src/rooms`))
      expect(DOCUMENTS).toContain(`docs/${room}.md`);
  });

  it.each(DOCUMENTS)('%s links to files and headings that exist', (document) => {
    const text = readText(document);
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?|mailto):/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? document : normalize(join(dirname(document), path));
      expect(existsSync(`${ROOT}${file}`), `${document} → ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchors(readText(file)), target).toContain(anchor);
    }
  });

  it.each(DOCUMENTS)('%s names source files that exist', (document) => {
    const named = readText(document).matchAll(
      /`((?:src|test|sql|bench|docs|bin)\/[\w./-]*\w\.(?:ts|sql|lua|md|json))`/g,
    );
    for (const [, file = ''] of named) {
      // NAME and NNNN stand for a name that the reader chooses.
      if (/NAME|NNNN/.test(file)) continue;
      expect(existsSync(`${ROOT}${file}`), `${document} → ${file}`).toBe(true);
    }
  });

  it('and comments name files that exist', () => {
    const sources = readSources('src', /\.(ts|lua)$/);
    const names = new Set(
      ['src', 'test', 'bench', 'console/src'].flatMap((folder) =>
        readSources(folder, /\.(tsx?|lua)$/).map(({ path }) => basename(path)),
      ),
    );
    for (const { path, text } of sources) {
      for (const [comment] of text.matchAll(/^ *(?:\/\*\*|\*|\/\/|--) .*$/gm)) {
        for (const [name] of comment.matchAll(/[\w/.-]*\w\.(?:tsx?|lua)(?!\w)/g)) {
          if (!name.includes('NAME'))
            expect(names, `${path} names ${name}`).toContain(basename(name));
        }
      }
    }
  });

  it('lists every decision in the index', () => {
    const index = readText('docs/adr/README.md');
    for (const name of readdirSync(`${ROOT}docs/adr`)) {
      if (name !== 'README.md') expect(index).toContain(`(${name})`);
    }
  });

  it('writes no figure that is yet to be measured', () => {
    for (const document of DOCUMENTS) {
      expect(readText(document), document).not.toMatch(/FIGURE|TO ?DO|TBD|XXX/);
    }
  });
});
