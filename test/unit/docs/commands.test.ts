/** Commands in the documents exist, with every option and action that is written there. */
import { describe, expect, it } from 'vitest';
import { type Command, usageOf } from '../../../src/kit/command/command.ts';
import { readSources } from '../../support/source-files.ts';
import { ROOT, readText } from '../ship/ship-files.ts';
import { DOCUMENTS } from './documents.ts';

/** Roles are run by src/main/cli.ts itself and take no options. */
const ROLES = new Set(['api', 'worker']);
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

type CommandModule = {
  readonly command?: Command;
  readonly createCommand?: (wired: undefined) => Command;
};
const DEFINES_COMMAND = /^export (?:const command|(?:const|function) createCommand)\b/m;

/** Usage of each command by its name. */
async function readUsages(): Promise<ReadonlyMap<string, string>> {
  const files = readSources('src', /\.ts$/).filter(({ text }) => DEFINES_COMMAND.test(text));
  const modules = await Promise.all(
    files.map(({ path }) => import(`${ROOT}${path}`) as Promise<CommandModule>),
  );
  const commands = modules.flatMap(
    ({ command, createCommand }) => command ?? createCommand?.(undefined) ?? [],
  );
  return new Map(
    await Promise.all(
      commands.map(async (command) => [command.name, await usageOf(command)] as const),
    ),
  );
}
const usages = await readUsages();

describe('documents', () => {
  it.each(DOCUMENTS)('%s: commands have the options it names', async (document) => {
    for (const { name, words } of usesOf(readText(document))) {
      if (ROLES.has(name) || name.startsWith('--')) continue;
      const usage = usages.get(name);
      expect(usage, `bin/risk ${name}`).toBeDefined();
      const options = words.filter((word) => word.startsWith('--') && !EVERYWHERE.has(word));
      for (const option of options) expect(usage, `bin/risk ${name}`).toContain(option);
    }
  });

  it('would find an option that does not exist', async () => {
    const [use] = usesOf('`bin/risk status --wach 3` # look');
    expect(use).toEqual({ name: 'status', words: ['--wach'] });
    expect(usages.get('status')).not.toContain('--wach');
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
