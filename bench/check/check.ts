/**
 * The regression guard, `npm run bench -- --check`: ratios of this run against those of baseline.json, which is
 * written by hand only: this command prints the run that the file would hold. A loss counts when it is more than 15 %
 * and its 95 % interval excludes 0.
 */
import { readFileSync } from 'node:fs';
import { parseArguments, UsageError } from '../../src/kit/command/command.ts';
import type { BenchContext } from '../support/bench.ts';
import { integerList } from '../support/load.ts';
import { describeMachine, formatMachine, readCommit } from '../support/machine.ts';
import { type Loss, lossOf } from '../support/rank-interval.ts';
import { printTable } from '../support/report-text.ts';
import { spreadOf } from '../support/spread.ts';
import { measureRounds, RATIO_NAMES, ROUNDS_MAX } from './ratios.ts';

export const CHECK_USAGE = `npm run bench -- --check [--rounds N]

Compares ratios with bench/check/baseline.json in some ten minutes; 7 rounds, fewer of which prove nothing. Exits 1 when one has lost
more than 15 % for certain. Writes nothing: its last lines are the run that the baseline would hold.`;

const ROUNDS = 7;
const LOSS_MAX = 0.15;

/** A run whose ratios later runs are compared with; each ratio is of one run. */
export type Baseline = {
  /** RFC 3339. A reader of the file needs it, the commit and the machine; the check does not. */
  readonly measured_at: string;
  readonly commit: string;
  readonly machine: string;
  readonly ratios: Readonly<Record<string, readonly number[]>>;
};

/** The loss is beyond the bound, and chance does not explain it. */
export function isRegression({ loss, low }: Loss): boolean {
  return loss > LOSS_MAX && low > 0;
}

export async function check(args: string[], context: BenchContext): Promise<number> {
  const { values } = parseArguments(args, {
    rounds: { type: 'string', default: String(ROUNDS) },
  });
  const [rounds = 0] = integerList('--rounds', values.rounds, 1, ROUNDS_MAX);
  const baselines = readBaselines();
  const known: Baseline['ratios'] = Object.assign({}, ...baselines.map(({ ratios }) => ratios));
  const unknown = Object.keys(known).filter((name) => !RATIO_NAMES.includes(name));
  if (unknown.length > 0) throw new UsageError(`the baseline has '${unknown[0]}', which is gone`);
  const { output } = context;
  const measured = await measureRounds(rounds, context);
  const results = RATIO_NAMES.map((name) => {
    const now = measured.map((ratios) => ratios[name] ?? Number.NaN);
    const before = known[name] ?? [];
    return { name, now, before, loss: lossOf(before, now) };
  });
  const runs = baselines.map(({ commit, measured_at }) => `${commit} of ${measured_at}`);
  printTable(output, `against ${runs.join(' and ')}`, results.map(toRow));
  output.line();
  output.line(JSON.stringify(await toBaseline(results), null, 2));
  return results.some(({ loss }) => isRegression(loss)) ? 1 : 0;
}

async function toBaseline(results: readonly Result[]): Promise<Baseline> {
  return {
    measured_at: new Date().toISOString(),
    commit: await readCommit(),
    machine: formatMachine(describeMachine()),
    ratios: Object.fromEntries(
      results.map(({ name, now }) => [name, now.map((ratio) => Number(ratio.toFixed(3)))]),
    ),
  };
}

function readBaselines(): Baseline[] {
  const file = new URL('./baseline.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Baseline[];
}

type Result = {
  readonly name: string;
  readonly now: readonly number[];
  readonly before: readonly number[];
  readonly loss: Loss;
};

function toRow({ name, now, before, loss }: Result) {
  const isNew = before.length === 0;
  const percent = (share: number) => (isNew ? '' : (share * 100).toFixed(1));
  return {
    ratio: name,
    baseline: isNew ? '' : spreadOf(before).median.toFixed(3),
    now: spreadOf(now).median.toFixed(3),
    loss_percent: percent(loss.loss),
    from: percent(loss.low),
    to: percent(loss.high),
    verdict: isNew ? 'no baseline' : isRegression(loss) ? 'LOSS' : 'ok',
  };
}
