/** Commands in the documents exist, with every option and action that is written there. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/cli/command.ts';
import { ROOT, readText } from '../ship/ship-files.ts';

const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'docs/concepts.md',
  'docs/day-to-day.md',
  'docs/events.md',
  'docs/faults.md',
  'docs/glossary.md',
  'docs/models.md',
  'docs/operations.md',
  'docs/runbooks.md',
];
/** Roles are run by src/main/cli.ts itself and take no options. */
const ROLES = new Set(['api', 'worker']);

type Use = { readonly name: string; readonly words: readonly string[] };

/** `bin/risk NAME words` up to a comment, the end of the line or of the code span. */
function usesOf(text: string): Use[] {
  return [...text.matchAll(/bin\/risk ([a-z-]+)((?: [^\s`#|]+)*)/g)].map(([, name = '', rest]) => ({
    name,
    words: (rest ?? '').split(' ').filter((word) => /^(--)?[a-z][a-z-]+$/.test(word)),
  }));
}

async function usageOf(name: string): Promise<string> {
  const { command, createCommand } = (await import(`../../../src/cli/${name}.ts`)) as {
    command?: Command;
    createCommand?: (wired: undefined) => Command;
  };
  return (command ?? createCommand?.(undefined))?.usage ?? '';
}

describe('documents', () => {
  it.each(DOCUMENTS)('%s: commands have the options it names', async (document) => {
    for (const { name, words } of usesOf(readText(document))) {
      if (ROLES.has(name) || name.startsWith('--')) continue;
      expect(existsSync(`${ROOT}src/cli/${name}.ts`), `bin/risk ${name}`).toBe(true);
      const usage = await usageOf(name);
      const options = words.filter((word) => word.startsWith('--') && word !== '--json');
      for (const option of options) expect(usage, `bin/risk ${name}`).toContain(option);
    }
  });

  it('would find an option that does not exist', async () => {
    const [use] = usesOf('`bin/risk status --wach 3` # look');
    expect(use).toEqual({ name: 'status', words: ['--wach'] });
    expect(await usageOf('status')).not.toContain('--wach');
  });

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
    for (const document of DOCUMENTS) {
      for (const [, script = ''] of readText(document).matchAll(/npm run ([a-z:-]+)/g)) {
        expect(Object.keys(scripts), document).toContain(script);
      }
    }
  });
});
