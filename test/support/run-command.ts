/** Runs a command of `risk` in this process. */
import type { Command } from '../../src/kit/command/command.ts';
import { createOutput } from '../../src/kit/command/output.ts';
import { readConfig } from '../../src/kit/config/config.ts';
import { createLog } from '../../src/kit/metrics/log.ts';

/** Throws the command's error. */
export async function runCommand(
  command: Command,
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<{ code: number; stdout: string }> {
  let stdout = '';
  const write = (text: string) => {
    stdout += text;
  };
  const settings = readConfig(environment);
  if ('problems' in settings) throw new Error(settings.problems.join('; '));
  const code = await command.run([...args], {
    config: settings.config,
    environment: {},
    output: createOutput({
      json: args.includes('--json'),
      stdout: { write },
      // Progress is meant for a person at a terminal.
      stderr: { write: () => undefined },
    }),
    log: createLog(command.name, 'silent'),
    signal: new AbortController().signal,
  });
  return { code, stdout };
}
