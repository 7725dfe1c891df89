import type { Output } from '../../../src/cli/output.ts';
import type { RunOptions } from './run-scenario.ts';

export async function runMutations(_output: Output, _options: RunOptions): Promise<number> {
  return await Promise.resolve(0);
}
