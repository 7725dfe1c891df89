/**
 * More clients than the engine has places for: what it cannot take is refused soon and with `Retry-After`, no process grows beyond
 * its bound, and answers are as before soon after the clients have gone. `npm run bench -- staircase` measures what it takes.
 */
import { peakRssBytes } from '../../../bench/support/process-usage.ts';
import { makeBatches, startLoad } from '../support/load.ts';
import { barRefusals } from '../support/refusals.ts';
import type { Scenario, Stage } from '../support/scenario.ts';

const BATCH = 100;
const CLIENTS = 256;
/** No client ever waits until its next batch is due. */
const RATE = 1_000_000;
const OVERLOAD_MS = 15_000;
const NORMAL_SECONDS_MAX = 10;
const NORMAL_ANSWER_MS = 1000;
const RSS_MEBIBYTES_MAX = 256;

/** Seconds until a batch is answered as before: at once, and soon. */
async function untilNormal({ load, seed }: Stage): Promise<number> {
  const startedMs = performance.now();
  for (const batch of makeBatches({ seed: `${seed}/after`, batch: BATCH })) {
    const [sentMs, refused] = [performance.now(), load.refusals.length];
    await load.send(batch);
    const isNormal = performance.now() - sentMs < NORMAL_ANSWER_MS;
    const seconds = (performance.now() - startedMs) / 1000;
    if (isNormal && load.refusals.length === refused) return seconds;
    if (seconds > NORMAL_SECONDS_MAX) break;
  }
  return Number.POSITIVE_INFINITY;
}

export const overload: Scenario = {
  name: 'overload',
  what: `${CLIENTS} clients post without a pause`,
  setup: { ownTraffic: true, recoverSecondsMax: 120 },
  plan: () => ({
    schedule: [`${CLIENTS} clients for ${OVERLOAD_MS} ms`],
    faults: ['requests refused'],
    run: async (stage) => {
      const { engine, ledger, seed, signal, happened, bar, pause } = stage;
      // More is scored than the event budget, a tenth of Redis' memory, holds: the oldest events are dropped.
      ledger.note({ kind: 'crowded' });
      const load = startLoad({
        ...{ urls: engine.apiUrls, apiKey: engine.apiKey, ledger, seed: `${seed}/overload` },
        ...{ rate: RATE, batch: BATCH, connections: CLIENTS, signal },
      });
      await pause(OVERLOAD_MS);
      await load.finish();
      happened('requests refused', load.refusals.length);
      barRefusals({ load, bar });
      const seconds = Math.round((await untilNormal(stage)) * 10) / 10;
      bar('seconds until answers are normal again', seconds, {
        atMost: NORMAL_SECONDS_MAX,
      });
      for (const { name, pid } of engine.running()) {
        const mebibytes = Math.round(peakRssBytes(pid) / 1024 / 1024);
        bar(`peak memory of ${name}, MiB`, mebibytes, { atMost: RSS_MEBIBYTES_MAX });
      }
    },
  }),
};
