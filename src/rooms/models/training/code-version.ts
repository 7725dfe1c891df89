/**
 * The code that makes a model: the package's version, and the commit where the package runs from a checkout.
 * `1.0.0`, or `1.0.0+628a95c0d1e2`, with `-dirty` where files differ from the commit.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const GIT_TIMEOUT_MS = 5000;
const packageFile = z.object({ version: z.string() });

let codeVersion: Promise<string> | undefined;

/** Read once a process: modules that are loaded stay as they were when the checkout changes. */
export const readCodeVersion = () => (codeVersion ??= describeCode());

async function describeCode(): Promise<string> {
  const text = await readFile(`${ROOT}/package.json`, 'utf8');
  const { version } = packageFile.parse(JSON.parse(text));
  const args = ['-C', ROOT, 'describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
  try {
    const { stdout } = await promisify(execFile)('git', args, { timeout: GIT_TIMEOUT_MS });
    return `${version}+${stdout.trim()}`;
  } catch {
    // An image has neither git nor a checkout.
    return version;
  }
}
