/**
 * A market works steadily while its neighbour in the same Postgres and Redis is disturbed and calm in turn. The windows beside a
 * calm neighbour are the baseline of the run itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { makeBatches, startLoad } from '../chaos/support/load.ts';
import type { Scenario, Stage } from '../chaos/support/scenario.ts';
import { DISTURBANCES, type Disturbance } from './disturbances.ts';
import { type Neighbour, openNeighbour, USUAL_LOAD } from './support/neighbour.ts';
import { pin } from './support/pin.ts';
import { startWaiter } from './support/waiter.ts';
import { compareWindows, type Window, WORSE_MAX } from './support/windows.ts';

const [LOAD_CORRIDOR, WAITED_CORRIDOR] = ['US-MX', 'US-EG'];
const KNEE_SHARE = 0.6;
const KNEE_SECONDS = 5;
const KNEE_RATE = 1_000_000;
/** Traffic of the neighbour meanwhile: more than half a machine of two processors scores. */
const KNEE_BESIDE = { rate: 4000, batch: 100 };
const BATCH = 50;
const CONNECTIONS = 4;
const WAITED_A_SECOND = 50;
const WARM_MS = 5000;
/** Windows of each kind. */
const WINDOWS = 20;
const WINDOWS_QUICK = 6;
const WINDOW_SECONDS = 3;
/** The work that a disturbance has left behind ends before the next window. */
const SETTLE_MS = 1000;

export const RATIOS = ['p50', 'p99', 'throughput'] as const;
export const ratioBar = (ratio: (typeof RATIOS)[number]) => `${ratio} of calm`;
/** The end of the 95 % interval that is nearer to a breach being noise. */
export const intervalBar = (ratio: (typeof RATIOS)[number]) => `${ratio} at least`;
export const COUNTS = ['refused', 'late'] as const;

export const neighbours: readonly Scenario[] = DISTURBANCES.map(toScenario);

function toScenario(disturbance: Disturbance): Scenario {
  const { name, what, environment = {} } = disturbance;
  return {
    ...{ name, what },
    setup: {
      ...{ workers: 1, ownTraffic: true, countersExact: false, environment },
      // The neighbour's work counts as well: a million transactions over its limit take a minute.
      recoverSecondsMax: 180,
    },
    plan: (_random, { isQuick }) => {
      const count = isQuick ? WINDOWS_QUICK : WINDOWS;
      let measured: Measured | undefined;
      return {
        schedule: [`${count} windows of each kind, in turn`],
        faults: [name],
        run: async (stage) => {
          const over = new AbortController();
          const signal = AbortSignal.any([stage.signal, over.signal]);
          try {
            measured = await measure({ ...stage, signal }, disturbance, isQuick);
          } finally {
            over.abort();
          }
        },
        judge: (stage) => judge(stage, measured),
      };
    },
  };
}

type Measured = Awaited<ReturnType<typeof measure>>;

async function measure(stage: Stage, disturbance: Disturbance, isQuick: boolean) {
  await pin(process.pid, 'ours');
  for (const { pid } of stage.engine.running()) await pin(pid, 'ours');
  // Redis keeps fewer events than a run makes.
  stage.ledger.note({ kind: 'crowded' });
  // At rest the checker sends these once more.
  const first = makeBatches({ seed: `${stage.seed}/first`, batch: BATCH }).next().value;
  if (first !== undefined) await stage.load.send(first);
  await using neighbour = await openNeighbour(stage);
  const rate = Math.round((await findKnee(neighbour)) * KNEE_SHARE);
  stage.remark(`steady load: ${rate} transactions a second`);
  const load = startOwn(stage, rate, 'steady');
  const waiter = startWaiter({
    ...{ url: stage.engine.apiUrls[0] ?? '', apiKey: stage.engine.apiKey },
    ...{ ledger: stage.ledger, seed: `${stage.seed}/waited`, signal: stage.signal },
    ...{ corridor: WAITED_CORRIDOR, rate: WAITED_A_SECOND },
  });
  await disturbance.prepare?.(neighbour, isQuick);
  await stage.pause(WARM_MS);
  const windows: Window[] = [];
  for (let n = 0; n < (isQuick ? WINDOWS_QUICK : WINDOWS); n++) {
    // The order changes each time, so that a drift favours neither.
    for (const isDisturbed of n % 2 === 0 ? [false, true] : [true, false]) {
      windows.push(await runWindow(neighbour, disturbance, isDisturbed));
    }
  }
  await disturbance.finish?.(neighbour);
  await Promise.all([load.finish(), waiter.finish()]);
  return { windows, waiter, load };
}

/** Beside a busy neighbour: half of the machine is the neighbour's, so more than that rate is no market's to be kept. */
async function findKnee({ stage, traffic }: Neighbour): Promise<number> {
  const go = await traffic({ ...USUAL_LOAD, ...KNEE_BESIDE }, { seconds: KNEE_SECONDS });
  const startedMs = performance.now();
  const beside = go();
  beside.catch(() => undefined);
  const load = startOwn(stage, KNEE_RATE, 'knee');
  await stage.pause(KNEE_SECONDS * 1000);
  await load.finish();
  const { acknowledged } = stage.ledger.counts;
  await stage.until('the knee was scored', async () => {
    const [row] = await stage.services.query<{ scored: number }>(
      'select count(*)::int as scored from scores',
    );
    return (row?.scored ?? 0) >= acknowledged;
  });
  const perSecond = (acknowledged * 1000) / (performance.now() - startedMs);
  await beside;
  return perSecond;
}

function startOwn({ engine, ledger, seed, signal }: Stage, rate: number, name: string) {
  return startLoad({
    ...{ urls: engine.apiUrls, apiKey: engine.apiKey, ledger, seed: `${seed}/${name}` },
    ...{ corridor: LOAD_CORRIDOR, rate, batch: BATCH, connections: CONNECTIONS, signal },
  });
}

async function runWindow(
  neighbour: Neighbour,
  disturbance: Disturbance,
  isDisturbed: boolean,
): Promise<Window> {
  const { stage } = neighbour;
  const traffic = isDisturbed ? { ...USUAL_LOAD, ...disturbance.load } : USUAL_LOAD;
  const seconds = WINDOW_SECONDS + SETTLE_MS / 1000;
  const go = await neighbour.traffic(traffic, { seconds });
  if (isDisturbed) {
    await disturbance.begin?.(neighbour);
    stage.happened(disturbance.name);
  }
  const sent = go();
  sent.catch(() => undefined);
  await stage.pause(SETTLE_MS);
  const before = stage.ledger.counts.acknowledged;
  const fromMs = performance.now();
  await stage.pause(WINDOW_SECONDS * 1000);
  const untilMs = performance.now();
  const acknowledged = stage.ledger.counts.acknowledged - before;
  if (isDisturbed) await disturbance.end?.(neighbour);
  await Promise.race([sent, delay(SETTLE_MS)]);
  await stage.pause(SETTLE_MS);
  return { isDisturbed, fromMs, untilMs, acknowledged };
}

function judge({ bar, remark }: Stage, measured: Measured | undefined): void {
  if (measured === undefined) throw new Error('nothing was measured');
  const { windows, load } = measured;
  const { decisions, stalls } = measured.waiter;
  const compared = compareWindows(windows, decisions);
  for (const name of RATIOS) {
    const { ratio, low, high, seenFrom } = compared[name];
    const [shown, from, to, seen] = [ratio, low, high, seenFrom].map((one) => one.toFixed(3));
    remark(
      `${name}: ${shown} of calm (95 %: ${from} to ${to}); a breach would be seen from ${seen}`,
    );
    bar(ratioBar(name), Number(shown), { atLeast: 0 });
    if (name === 'throughput') bar(intervalBar(name), Number(to), { atLeast: 1 - WORSE_MAX });
    else bar(intervalBar(name), Number(from), { atMost: 1 + WORSE_MAX });
  }
  const count = (outcome: string) => decisions.filter((one) => one.outcome === outcome).length;
  for (const [detail, same] of Map.groupBy(load.refusals, (one) => one.detail))
    remark(`refused ${same.length} times: ${detail}`);
  for (const isDisturbed of [false, true]) {
    const own = windows.filter((window) => window.isDisturbed === isDisturbed);
    const refusedIn = ({ fromMs, untilMs }: Window) =>
      decisions.some(
        ({ outcome, dueMs }) => outcome === 'refused' && dueMs >= fromMs && dueMs < untilMs,
      );
    const what = isDisturbed ? 'disturbed' : 'calm';
    remark(`${own.filter(refusedIn).length} of ${own.length} ${what} windows had refusals`);
  }
  remark(
    `the generator stood still ${stalls.length} times, for ${Math.max(0, ...stalls).toFixed()} ms at most`,
  );
  const [refused, late] = COUNTS;
  bar(refused, count(refused) + load.refusals.length, { exactly: 0 });
  bar(late, count(late), { exactly: 0 });
}
