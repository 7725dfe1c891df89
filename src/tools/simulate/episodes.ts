/**
 * Fraud over time: episodes of the scenarios in turn, spread evenly over the period until the
 * budget of fraudulent transactions is spent, merged into one stream in time order. Only episodes
 * under way are held.
 */
import { between, integerBetween, type Random } from '../../kit/random.ts';
import type { Period } from './arrivals.ts';
import { FRAUD_SCENARIOS, type Scenario } from './scenarios.ts';
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
      insert(underWay, begins.value);
      begins = upcoming.next();
    }
    const episode = underWay.shift();
    if (episode === undefined) return;
    yield { atMs: episode.nextMs, scenario: episode.scenario.name, draft: episode.next() };
    episode.made++;
    // A transaction in each step, anywhere within the step.
    episode.nextMs = Math.floor(episode.startMs + (episode.made + random()) * episode.stepMs);
    if (episode.made < episode.size) insert(underWay, episode);
  }
}

/** Inserts in the order of `nextMs`. */
function insert(underWay: Episode[], episode: Episode): void {
  let low = 0;
  for (let high = underWay.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((underWay[middle]?.nextMs ?? Infinity) <= episode.nextMs) low = middle + 1;
    else high = middle;
  }
  underWay.splice(low, 0, episode);
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
