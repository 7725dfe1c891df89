/** The commands of `bin/risk`, as tests of documents and of the index of guards read them. */
import type { Command } from '../../src/kit/command/command.ts';
import { REPOSITORY } from './risk.ts';
import { readSources } from './source-files.ts';

/** Roles are made by src/main/run.ts itself, and take neither options nor actions. */
export const ROLES: readonly string[] = ['api', 'worker', 'trainer'];

type CommandModule = {
  readonly command?: Command;
  readonly createCommand?: (wired: undefined) => Command;
};
const DEFINES_COMMAND = /^export (?:const command|(?:const|function) createCommand)\b/m;

/** Each command but the roles, by its name. */
export async function readCommands(): Promise<ReadonlyMap<string, Command>> {
  const files = readSources('src', /\.ts$/).filter(({ text }) => DEFINES_COMMAND.test(text));
  const modules = await Promise.all(
    files.map(({ path }) => import(`${REPOSITORY}${path}`) as Promise<CommandModule>),
  );
  const commands = modules.flatMap(
    ({ command, createCommand }) => command ?? createCommand?.(undefined) ?? [],
  );
  return new Map(commands.map((command) => [command.name, command] as const));
}
