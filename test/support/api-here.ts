/** `risk api` in this process: a tenth of the processor time that a process of its own takes to start. */
import { createOutput } from '../../src/kit/command/output.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { runApi } from '../../src/main/api.ts';
import { testConfig } from './config.ts';
import type { Exit } from './risk.ts';
import { waitUntil } from './wait-until.ts';

/** An API, in this process or in its own. */
export type ApiRun = {
  readonly url: string;
  /** The lines that the API logged so far. */
  log(): string;
  /** Tells it to stop, and waits until it has. */
  stop(): Promise<Exit>;
};

const START_MS = 30_000;

export async function runApiHere(environment: Readonly<Record<string, string>>): Promise<ApiRun> {
  let logged = '';
  const write = (text: string) => {
    logged += text;
  };
  const config = testConfig({ LOG_LEVEL: 'info', ...environment });
  const controller = new AbortController();
  const context = {
    ...{ config, environment, signal: controller.signal },
    output: createOutput({ json: false, stdout: { write }, stderr: { write } }),
    log: createLog('api', config.LOG_LEVEL, { write }),
  };
  let ended: unknown;
  const exited = runApi(context);
  const end = (reason: unknown) => {
    ended = reason;
  };
  exited.then((code) => end(`exit ${code}`), end);
  const findUrl = () => /"url":"(https?:[^"]+)"/.exec(logged)?.[1];
  await waitUntil(() => findUrl() !== undefined || ended !== undefined, START_MS, 'an API');
  const url = findUrl();
  if (url === undefined) throw new Error(`no API: ${String(ended)}\n${logged}`);
  return {
    url,
    log: () => logged,
    stop: async () => {
      controller.abort();
      return { code: await exited, signal: null };
    },
  };
}
