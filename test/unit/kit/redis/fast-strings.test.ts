/**
 * Goal: string loops are as fast after loading ioredis as before. Method: V8 reports the form of
 * String.prototype, in a process of its own; no time is measured.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = new URL('../../../../', import.meta.url);

async function isFastAfter(module: string): Promise<boolean> {
  const program = `await import('${module}'); console.log(%HasFastProperties(String.prototype))`;
  const flags = ['--allow-natives-syntax', '--input-type=module', '--eval'];
  const { stdout } = await run(process.execPath, [...flags, program], { cwd: ROOT });
  return stdout.trim() === 'true';
}

test.each(['api', 'worker'])('all of the %s leaves it fast', async (name) => {
  expect(await isFastAfter(`./src/main/${name}.ts`)).toBe(true);
});
