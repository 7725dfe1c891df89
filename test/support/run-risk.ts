/** `risk ARGS` in this process, with exactly the environment a test gives: a process of its own costs 0.3 s more of processor time. */
import { run } from '../../src/main/run.ts';

export type Ran = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** Exit code and output of a command in one text, so that a test compares both at once. */
export const said = ({ code, stdout, stderr }: Ran) => `${code} ${stdout}${stderr}`;

export async function runRisk(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const stdout = sink();
  const stderr = sink();
  const openSignal = () => new AbortController().signal;
  const code = await run(args, { environment, stdout, stderr, openSignal });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function sink() {
  const parts: string[] = [];
  return {
    write: (part: string) => {
      parts.push(part);
    },
    text: () => parts.join(''),
  };
}
