/**
 * How well does the engine tell fraud, on published labelled payments? The payments of a process go through the API day by day,
 * each label when it is known, and the table of a day is built before the day. Where models are asked for, the engine's own
 * command trains them and two risk officers put them in shadow before the last week.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { UsageError } from '../src/kit/command/command.ts';
import { Failure } from '../src/kit/words/failure.ts';
import { disagreements, type Published, publishedTable } from './detection/agreement.ts';
import { LABELS, type Labels } from './detection/labels.ts';
import { type Lived, openMarketDays } from './detection/market-days.ts';
import { openOfficers, readShadow, type Trained } from './detection/officers.ts';
import { openPolicy, type PolicyDays } from './detection/policy.ts';
import { findProcess, type Process } from './detection/processes.ts';
import { type Figures, measure, type Tested, testWeek } from './detection/protocol.ts';
import { type Day, dateOf, type Payment, readDays } from './detection/published-days.ts';
import { lostWeeks, meansOf, measureWeeks, weekStarts } from './detection/weeks.ts';
import type { Bench, BenchContext, BenchReport, BenchTable } from './support/bench.ts';
import { readOptions as readNumbers, TEXT } from './support/options.ts';
import { percentiles } from './support/percentiles.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { peakRssBytes } from './support/process-usage.ts';

const USAGE = `--data FOLDER      the files of a process (../shared/data)
--process NAME     handbook, cardsim or rings, where the folder has several
--labels WHICH     full, late (a day later), alerts (of a day's greatest margins alone), fifth (of the frauds is never reported), none
--alert-percent N  of a day's payments are alerts, at most (5)
--days N           the first days of the process (all)
--train NAME:DAYS  models for the last week, each trained on so many days that end a week before (none; week:7,quarter:91)
--policy           people put a policy in force once it may decide, and renew it
--review-percent N of payments are stopped by the policy (1)
--trees            under the policy trees train themselves each week, and people put those in force that are ahead
--scores FOLDER    keeps the scores of the last week there`;

const FLAG = { type: 'boolean' } as const;
const DAY_MS = 86_400_000;
const LABEL_DELAY_DAYS = 7;
const CORRIDOR = 'US-US';
const LOADED_MS_MAX = 30_000;
const POLL_MS = 100;
const DAYS_MAX = 400;

type Options = {
  readonly data: string;
  readonly process: Process;
  readonly labels: Labels;
  readonly days: number;
  readonly alertPercent: number;
  readonly trainings: readonly { readonly name: string; readonly days: number }[];
  readonly scores: string | undefined;
  readonly policy: { readonly share: number; readonly withTrees: boolean } | undefined;
};

function readOptions(args: string[]): Options {
  const { values, numbers } = readNumbers(
    args,
    {
      ...{ days: { or: DAYS_MAX, max: DAYS_MAX }, 'alert-percent': { or: 5, max: 100 } },
      'review-percent': { or: 1, max: 10 },
    },
    {
      ...{ data: TEXT, process: TEXT, labels: TEXT, train: TEXT, scores: TEXT },
      ...{ policy: FLAG, trees: FLAG },
    },
  );
  const trainings = (values.train ?? '')
    .split(',')
    .filter(Boolean)
    .map((text) => {
      const [, name, days] = /^([a-z]+):(\d{1,3})$/.exec(text) ?? [];
      if (name === undefined) throw new UsageError(`--train is NAME:DAYS, not '${text}'`);
      return { name, days: Number(days) };
    });
  const { labels: word = 'full', scores } = values;
  const labels = LABELS.find((known) => known === word);
  if (labels === undefined) throw new UsageError(`--labels is ${LABELS.join(', ')}, not '${word}'`);
  const data = resolve(values.data ?? '../shared/data');
  const process = findProcess(data, values.process);
  const { days, 'alert-percent': alertPercent } = numbers;
  const asked = { share: numbers['review-percent'] / 100, withTrees: values.trees === true };
  const policy = values.policy === true ? asked : undefined;
  return { data, process, labels, days, alertPercent, trainings, scores, policy };
}

type Model = Trained & { readonly name: string };

async function train(pipeline: Pipeline, { trainings }: Options, testMs: number): Promise<Model[]> {
  if (trainings.length === 0) return [];
  const officers = await openOfficers(pipeline);
  const toMs = testMs - (LABEL_DELAY_DAYS + 1) * DAY_MS;
  const trained: Model[] = [];
  for (const { name, days } of trainings) {
    const model = `${name}@${dateOf(testMs)}`;
    const one = await officers.train({
      model,
      from: dateOf(toMs - (days - 1) * DAY_MS),
      to: dateOf(toMs),
      knownBy: `${dateOf(testMs)}T00:00:00Z`,
      folder: join(pipeline.folder, name),
    });
    trained.push({ name: model, ...one });
    await officers.shadow(model, CORRIDOR);
  }
  return trained;
}

/** Long enough for the workers to prove the models; they look every half second. */
async function untilLoaded(
  { services: { database } }: Pipeline,
  modelIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = Date.now() + LOADED_MS_MAX;
  for (;;) {
    const { rows } = await database.query<{ loaded: number }>(
      'select count(distinct model_id)::int as loaded from model_checks where passed and model_id = any ($1)',
      [modelIds],
    );
    if (rows[0]?.loaded === modelIds.length) return;
    if (Date.now() > deadlineMs)
      throw new Failure('permanent', 'NOT_LOADED', 'no worker took the models');
    await delay(POLL_MS, undefined, { signal });
  }
}

/** By the published evaluator, where the folder has it. */
async function judge(
  { data, scores: kept }: Options,
  name: string,
  { startMs, payments }: LastWeek,
  scores: readonly number[],
  folder: string,
): Promise<Published | undefined> {
  const file = join(kept ?? folder, `${name.replace('@', '-')}.csv`);
  const lines = payments.map(({ id }, row) => `${id},${scores[row]}`);
  await writeFile(file, `transaction_id,score\n${lines.join('\n')}\n`);
  const evaluator = join(data, 'evaluate.mjs');
  if (!existsSync(evaluator)) return undefined;
  const from = ['--from', dateOf(startMs), '--missing', 'zero', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    evaluator,
    '--scores',
    file,
    ...from,
  ]);
  return JSON.parse(stdout) as Published;
}

type LastWeek = {
  readonly startMs: number;
  /** Number of the week's first payment among those of all days. */
  readonly first: number;
  readonly payments: readonly Payment[];
  readonly tested: readonly Tested[];
};

function lastWeekOf(days: readonly Day[], startMs: number): LastWeek {
  const before = days.filter((day) => day.startMs < startMs);
  const week = days.filter((day) => day.startMs >= startMs && day.startMs < startMs + 7 * DAY_MS);
  return {
    ...{ startMs, tested: testWeek(days, startMs) },
    first: before.reduce((sum, { payments }) => sum + payments.length, 0),
    payments: week.flatMap(({ payments }) => payments),
  };
}

type Judged = Pick<BenchReport, 'figures'> & {
  readonly name: string;
  readonly scores: readonly number[];
};

async function* run(options: Options, context: BenchContext): AsyncGenerator<BenchReport> {
  const { process, labels } = options;
  const days = (await readDays(options.data, process)).slice(0, options.days);
  const starts = weekStarts(days, process.weeksFrom);
  const startMs = starts.at(-1);
  if (startMs === undefined) throw new UsageError(`${days.length} days have no whole week`);
  await using pipeline = await startPipeline({ workers: 1, settings: {} }, context);
  const policy = options.policy && (await openPolicy(pipeline, options.policy, starts, context));
  const { live, lived } = await openMarketDays(pipeline, options, context, policy?.after);
  await live(days.filter((day) => day.startMs < startMs));
  const models = await train(pipeline, options, startMs);
  const modelIds = models.map(({ modelId }) => modelId);
  await untilLoaded(pipeline, modelIds, context.signal);
  await live(days.filter((day) => day.startMs >= startMs));

  const all = lived.days.flatMap(({ scores }) => scores);
  const perSecond = all.length / lived.feedSeconds;
  const shared = {
    inputs: {
      ...{ process: process.name, labels, days: days.length, payments: all.length },
      ...(labels === 'alerts' && { alert_percent: options.alertPercent }),
    },
    ...{ settings: {}, versions: pipeline.services.versions, perSecond, ceilings: [] },
  };
  yield { ...shared, ...(await reportWeeks(starts, lived, pipeline, policy)) };

  const week = lastWeekOf(days, startMs);
  const part = all.slice(week.first, week.first + week.payments.length);
  const judged: Judged[] = [
    { name: 'rules', scores: part.map(({ ruled }) => ruled), figures: {} },
    { name: 'scorecard', scores: part.map(({ margin }) => margin), figures: {} },
  ];
  for (const { name, seconds } of models) {
    const scores = await readShadow(pipeline, name, part);
    if (scores.some(Number.isNaN))
      throw new Failure('permanent', 'NO_SCORE', `${name} has not judged every payment`);
    judged.push({ name, scores, figures: { training_seconds: seconds } });
  }
  for (const { name, scores, figures } of judged) {
    const own = measure(week.tested, scores, name);
    const published = await judge(options, name, week, scores, pipeline.folder);
    yield {
      ...{ ...shared, caseName: `week of ${dateOf(startMs)}: ${name}`, figures },
      tables: [intervals(own), ...(published === undefined ? [] : [publishedTable(published)])],
      breaches: published === undefined ? [] : disagreements(own, published),
    };
  }
}

/** Figures from the first day on. */
async function reportWeeks(
  starts: readonly number[],
  lived: Lived,
  { api, workers }: Pipeline,
  policy: PolicyDays | undefined,
) {
  const { days, labelled, nights, feedSeconds } = lived;
  const all = days.flatMap(({ scores }) => scores);
  const misjudged = all.filter(({ isOfDay }) => !isOfDay).length;
  const payments = days.flatMap((day) => day.payments);
  const scores = {
    amount: payments.map(({ amount }) => Number(amount)),
    rules: all.map(({ ruled }) => ruled),
    scorecard: all.map(({ margin }) => margin),
    ...(await policy?.scores(all)),
  };
  const weeks = measureWeeks(days, starts, scores, labelled);
  const told = await policy?.report(lived, weeks);
  const countFrauds = (of: readonly Payment[]) => of.filter(({ isFraud }) => isFraud).length;
  const seconds = percentiles(nights.map((night) => night.seconds));
  const mebibytes = (bytes: readonly number[]) => Math.max(...bytes) / 2 ** 20;
  return {
    caseName: 'by week',
    figures: {
      payments_per_second: all.length / feedSeconds,
      frauds: countFrauds(payments),
      known_share_of_frauds: countFrauds(labelled) / countFrauds(payments),
      ...{ night_p50_seconds: seconds.p50, night_max_seconds: seconds.max },
      night_peak_mib: mebibytes(nights.map(({ peakBytes }) => peakBytes)),
      worker_peak_mib: mebibytes(workers.map(({ pid }) => peakRssBytes(pid))),
      api_peak_mib: mebibytes([peakRssBytes(api.pid)]),
      ...told?.figures,
    },
    tables: [
      {
        title: 'average precision by week; known: frauds that a table knew when the week began',
        rows: weeks.map(({ startMs, precisions, ...counts }) => ({
          ...{ week: dateOf(startMs), ...counts },
          ...digits(precisions, 3),
        })),
      },
      {
        title: 'means of weeks',
        rows: meansOf(weeks, days[0]?.startMs ?? 0).map(({ weeks: of, ...means }) => ({
          ...{ weeks: of, ...digits(means, 3) },
        })),
      },
      ...(told?.tables ?? []),
    ],
    breaches: [
      ...lostWeeks(weeks),
      ...(misjudged === 0
        ? []
        : [`another table judged ${misjudged} payments than that of their day`]),
      ...(told?.breaches ?? []),
    ],
  };
}

const digits = (values: Readonly<Record<string, number>>, count: number) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.toFixed(count)]));

const intervals = (figures: Figures): BenchTable => ({
  title: 'with 95 % over resampled customers',
  rows: Object.entries(figures).map(([figure, of]) => ({ figure, ...digits(of, 4) })),
});

export const bench: Bench = {
  name: 'detection',
  question: 'How well does the engine tell fraud, on published labelled payments?',
  onlyByName: 'it needs published data, and takes half an hour',
  usage: USAGE,
  run: (args, context) => run(readOptions(args), context),
};
