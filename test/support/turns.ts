/** An API process that says for how long its thread was held. */
import { spawnRunningApi } from './running-api.ts';

const DEADLINE_MS = 60_000;
const PRELOADED = new URL('watch-turns.ts', import.meta.url).href;

export async function startWatchedApi(environment: Readonly<Record<string, string>> = {}) {
  const api = await spawnRunningApi({ NODE_OPTIONS: `--import=${PRELOADED}`, ...environment });
  let readings = 0;
  return {
    ...api,
    /** The longest processor time in ms between two turns of the event loop since the last question. */
    async longestTurn() {
      readings += 1;
      api.process.kill('SIGUSR2');
      const said = new RegExp(`reading ${readings}: (\\S+) ms`);
      const [, longest] = await api.process.waitFor(said, DEADLINE_MS);
      return Number(longest);
    },
  };
}
