/** The service that answers without a store, as a process: what HTTP and JSON alone can do. */
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import type { Target } from './load.ts';
import { spawnRole, untilReady } from './role-process.ts';

const ROLE = fileURLToPath(new URL('./echo-role.ts', import.meta.url));

export type Echo = Target & { readonly pid: number; [Symbol.asyncDispose](): Promise<void> };

/** @param folder for its log and whatever is written for it */
export async function startEcho(folder: string, signal: AbortSignal): Promise<Echo> {
  const port = await freePort();
  const echo = spawnRole({
    ...{ role: 'api', name: 'echo', port, logFolder: folder, environment: {} },
    program: [process.execPath, ROLE],
  });
  await untilReady(echo, signal);
  return {
    ...{ folder, apiPort: port, apiKey: 'none', pid: echo.pid },
    [Symbol.asyncDispose]: () => echo.stop(),
  };
}
