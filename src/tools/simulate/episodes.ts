/**
 * Fraud over time: episodes of the scenarios in turn, spread evenly over the period until the
 * budget of fraudulent transactions is spent, merged into one stream in time order. Only episodes
 * under way are held.
 */
import { between, integerBetween, type Random } from '../../kit/random.ts';
import type { Period } from './arrivals.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { FRAUD_SCENARIOS } from './scenarios.ts';
import type { Draft } from './transaction.ts';
import type { World } from './world.ts';

type FraudEvent = {
  readonly atMs: number;
  readonly scenario: Scenario['name'];
  readonly draft: Draft;
};

type Episode = {
  readonly scenario: Scenario;
  readonly startMs: number;
  /** Time between two transactions, before jitter. */
  readonly stepMs: number;
  readonly size: number;
  readonly next: () => Draft;
  made: number;
  nextMs: number;
};

/** No episode begins in the last 3 % of the period: it would have no time to unfold. */
const LAST_START = 0.97;

/** `count` fraudulent transactions in time order. */
export function* fraudEvents(
  world: World,
  random: Random,
  period: Period,
  count: number,
): Generator<FraudEvent, void> {
  const underWay: Episode[] = [];
  const upcoming = episodes(world, random, period, count);
  let begins = upcoming.next();
  for (let made = 0; made < count; made++) {
    while (!begins.done && begins.value.startMs <= (underWay[0]?.nextMs ?? Infinity)) {
      push(underWay, begins.value);
      begins = upcoming.next();
    }
    const episode = underWay[0];
    if (episode === undefined) return;
    yield { atMs: episode.nextMs, scenario: episode.scenario.name, draft: episode.next() };
    advance(episode, random);
    siftDown(underWay, episode.made === episode.size ? underWay.pop() : episode);
  }
}

/** Episodes by start time; their sizes add up to `count`. */
function* episodes(
  world: World,
  random: Random,
  period: Period,
  count: number,
): Generator<Episode, void> {
  const startsMs = (period.toMs - period.fromMs) * LAST_START;
  let turn = 0;
  for (let planned = 0; planned < count; turn++) {
    const scenario = FRAUD_SCENARIOS[turn % FRAUD_SCENARIOS.length] ?? FRAUD_SCENARIOS[0];
    const size = Math.min(integerBetween(random, ...scenario.size), count - planned);
    const startMs = period.fromMs + (startsMs * (planned + random() * size)) / count;
    const durationMs = Math.min(between(random, ...scenario.durationMs), period.toMs - 1 - startMs);
    const next = scenario.begin(world, random);
    const episode = { scenario, startMs, stepMs: durationMs / size, size, next };
    yield { ...episode, made: 0, nextMs: Math.floor(startMs + random() * episode.stepMs) };
    planned += size;
  }
}

/** Sets the time of the episode's next transaction: one in each step, anywhere within it. */
function advance(episode: Episode, random: Random): void {
  episode.made++;
  episode.nextMs = Math.floor(episode.startMs + (episode.made + random()) * episode.stepMs);
}

/** A binary heap by `nextMs`: the next episode to act is at 0. */
function push(heap: Episode[], episode: Episode): void {
  let at = heap.push(episode) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || above.nextMs <= episode.nextMs) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = episode;
}

/** Replaces the first episode and sifts it down to its position. */
function siftDown(heap: Episode[], episode: Episode | undefined): void {
  if (episode === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    const right = heap[child + 1];
    if (right !== undefined && right.nextMs < (heap[child]?.nextMs ?? Infinity)) child++;
    const below = heap[child];
    if (below === undefined || below.nextMs >= episode.nextMs) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = episode;
}
