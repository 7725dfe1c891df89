/**
 * The model: what would a load take that no machine here can make? Loads on this machine calibrate a model of discrete events, other loads of
 * the same hour judge it, and then it is asked for 100,000 requests a second.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArguments } from '../src/kit/command/command.ts';
import { calibrateModel } from './model/calibrate.ts';
import { type Compared, compare, errorsOf } from './model/compare.ts';
import { type Observed, observe } from './model/observe.ts';
import { writeReport } from './model/report.ts';
import { DEMAND } from './model/size.ts';
import type { Bench, BenchReport, BenchTable } from './support/bench.ts';
import { percentiles } from './support/percentiles.ts';

const USAGE = `--observed FILE    figures of an earlier run, in place of loads on this machine (six minutes)
--figures FILE     writes the figures of this run, for --observed
--report FILE      writes what ${DEMAND.requests.toLocaleString('en-US')} requests a second take, with plots in the folder plots beside it`;

/** Half of the figures are nearer to what was seen than this. */
const ERROR_MAX = 0.1;
/** With more, loads queue for processors behind programs of which nothing is known. */
const OTHERS_MAX = 0.4;

function comparison(title: string, compared: readonly Compared[]): BenchTable {
  return {
    title,
    rows: compared.map(({ run, what, seen, foretold, error }) => ({
      ...{ run, what, seen: seen.toPrecision(3), foretold: foretold.toPrecision(3) },
      error_percent: (100 * error).toFixed(0),
    })),
  };
}

export const bench: Bench = {
  name: 'model',
  question: 'What would a load take that no machine here can make?',
  onlyByName: 'takes six minutes of loads at fixed rates',
  usage: USAGE,
  run: async function* (args, context) {
    const text = { type: 'string' } as const;
    const own = { observed: text, figures: text, report: text };
    const { values } = parseArguments(args, own);
    const observed =
      values.observed === undefined
        ? await observe(context)
        : (JSON.parse(await readFile(values.observed, 'utf8')) as Observed);
    if (values.figures !== undefined)
      await writeFile(values.figures, `${JSON.stringify(observed, null, 1)}\n`);
    context.output.note('calibrating');
    const model = calibrateModel(observed);
    const judged = compare(model, observed, 'compares');
    const errors = errorsOf(judged);
    const others = percentiles(observed.runs.map(({ cores }) => cores.others)).p50;
    const report: BenchReport = {
      caseName: `loads of ${observed.measured_at}`,
      inputs: {
        ...{ measured_at: observed.measured_at, measured_commit: observed.commit },
        ...{ flush_ms: observed.flushMs, statement_ms: observed.statementMs },
        ...model.waits,
      },
      settings: {},
      versions: {},
      perSecond: 0,
      figures: {
        ...Object.fromEntries(
          Object.entries(errors).map(([kind, error]) => [
            `${kind}_error_median_percent`,
            100 * error,
          ]),
        ),
        others_cores: others,
        ...costFigures(model.costs),
      },
      ceilings: [],
      tables: [
        comparison('loads that calibrated the model', compare(model, observed, 'calibrates')),
        comparison('loads that it had not seen', judged),
      ],
      breaches: [
        ...(errors.all <= ERROR_MAX
          ? []
          : [`the median error is ${(100 * errors.all).toFixed(1)} %`]),
        ...(others <= OTHERS_MAX
          ? []
          : [
              `other programs used ${others.toFixed(2)} processors: measure while nobody else works`,
            ]),
      ],
    };
    yield report;
    if (values.report === undefined) return;
    const paths = await writeReport(values.report, { model, observed, judged, errors });
    for (const path of paths) context.output.line(path);
  },
};

function costFigures(costs: ReturnType<typeof calibrateModel>['costs']): Record<string, number> {
  return Object.fromEntries(
    Object.entries(costs).flatMap(([role, steps]) =>
      Object.entries(steps).map(([step, us]) => [
        role === 'idle' ? `idle_${step}_cores` : `${role}_${step}_us`,
        us,
      ]),
    ),
  );
}
