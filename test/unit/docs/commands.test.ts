/** Commands in the documents exist, with every option and action that is written there. */
import { describe, expect, it } from 'vitest';
import { actionIn, usageOf } from '../../../src/kit/command/command.ts';
import { ROLES, readCommands } from '../../support/commands.ts';
import { readText } from '../ship/ship-files.ts';
import { DOCUMENTS } from './documents.ts';

/** Options of every command. */
const EVERYWHERE = new Set(['--json', '--help']);

type Use = { readonly name: string; readonly words: readonly string[] };

/** `bin/risk NAME words` up to a comment, the end of the line or of the code span. */
function usesOf(text: string): Use[] {
  return [...text.matchAll(/bin\/risk ([a-z-]+)((?: [^\s`#|]+)*)/g)].map(([, name = '', rest]) => ({
    name,
    words: (rest ?? '').split(' ').filter((word) => /^(--)?[a-z][a-z-]+$/.test(word)),
  }));
}

const commands = await readCommands();

/** The usage of the command, or of its action that the words name. */
async function usageFor({ name, words }: Use): Promise<string | undefined> {
  const command = commands.get(name);
  return command && (await usageOf(command, await actionIn(command, words)));
}

describe('documents', () => {
  it.each(DOCUMENTS)('%s: commands and actions have the options it names', async (document) => {
    for (const use of usesOf(readText(document))) {
      const { name, words } = use;
      if (ROLES.includes(name) || name.startsWith('--')) continue;
      const usage = await usageFor(use);
      expect(usage, `bin/risk ${name}`).toBeDefined();
      const options = words.filter((word) => word.startsWith('--') && !EVERYWHERE.has(word));
      for (const option of options) expect(usage, `bin/risk ${name}`).toContain(option);
    }
  });

  it('would find an option of another action', async () => {
    const [use] = usesOf('`bin/risk rules show x@1 --reason y` # look');
    if (use === undefined) throw new Error('no use was found');
    expect(use).toEqual({ name: 'rules', words: ['show', '--reason'] });
    expect(await usageFor(use)).not.toContain('--reason');
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
