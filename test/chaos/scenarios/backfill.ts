/** A past comes shuffled beside live traffic of the same merchants, while workers are killed and profiles go. */
import { createRandom, integerBetween } from '../../../src/kit/random.ts';
import { type Batch, makeBatches } from '../support/load.ts';
import type { Scenario, Stage } from '../support/scenario.ts';
import { dropProfiles } from './profiles-dropped.ts';

const DAY_MS = 86_400_000;
/** The past ends before the live traffic of the load, which spans 20 days, begins. */
const PAST_DAYS_AGO = 21;
const BATCH = 200;
const ROUNDS = 4;
const PAUSE_MS = [300, 1500] as const;

/** As many batches as the load posts, with the rows of all in drawn order. */
function shuffledPast({ seed, transactions }: Stage): Batch[] {
  const random = createRandom(`${seed}/past`);
  const endMs = Date.now() - PAST_DAYS_AGO * DAY_MS;
  const past = makeBatches({ seed: `${seed}/past`, batch: transactions, endMs }).next().value;
  if (past === undefined) throw new Error('the past has no rows');
  const drawn = past.keys
    .map((key, at) => ({ key, row: past.rows[at] ?? '', at: random() }))
    .sort((a, b) => a.at - b.at);
  return Array.from({ length: Math.ceil(drawn.length / BATCH) }, (_, nth) => {
    const part = drawn.slice(nth * BATCH, (nth + 1) * BATCH);
    const rows = part.map(({ row }) => row);
    return {
      ...{ keys: part.map(({ key }) => key), spoiled: [], rows },
      body: `{"transactions":[${rows.join(',')}]}`,
    };
  });
}

export const backfill: Scenario = {
  name: 'backfill',
  what: 'a shuffled past is posted beside live traffic of the same merchants, while workers die and Redis loses all profiles',
  setup: { workers: 2 },
  plan: (random) => {
    const pauses = Array.from({ length: ROUNDS }, () => integerBetween(random, ...PAUSE_MS));
    return {
      schedule: pauses.map((ms) => `after ${ms} ms`),
      faults: ['batches of the past posted', 'workers killed', 'profiles dropped'],
      run: async (stage) => {
        const { engine, load, happened, pause } = stage;
        const posting = (async () => {
          for (const batch of shuffledPast(stage)) {
            await load.send(batch);
            happened('batches of the past posted');
          }
        })();
        for (const [round, ms] of pauses.entries()) {
          await pause(ms);
          const name = `worker-${1 + (round % 2)}`;
          await engine.kill(name);
          happened('workers killed');
          await dropProfiles(stage);
          await engine.start('worker', name);
        }
        await posting;
      },
    };
  },
};
