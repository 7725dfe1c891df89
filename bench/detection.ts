/**
 * How well does the engine tell fraud, on published labelled payments? The whole file goes through the API in the
 * order of time, each label when it is known; then models are trained by the engine's own command, put in shadow
 * by two risk officers, and the test week is scored by the rules and by them.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseArguments, UsageError } from '../src/kit/command/command.ts';
import { Failure } from '../src/kit/words/failure.ts';
import { disagreements, type Published } from './detection/agreement.ts';
import { DELAY_DAYS, openFeeder } from './detection/feed-days.ts';
import { openOfficers, type Trained } from './detection/officers.ts';
import { type Figures, measure, type Tested, testWeek } from './detection/protocol.ts';
import { type Payment, readDays } from './detection/published-days.ts';
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';

const USAGE = `--data FOLDER      handbook_tx_dev.csv.gz and evaluate.mjs (../shared/data)
--test DATE        first day of the test week (2018-08-08)
--train NAME:DAYS  models, each trained on so many days that end a week before (week:7,quarter:91)
--scores FOLDER    keeps the scores of the test week there`;

const DAY_MS = 86_400_000;
const CORRIDOR = 'US-US';
const LOADED_MS_MAX = 30_000;
const POLL_MS = 100;

type Options = {
  readonly data: string;
  readonly testMs: number;
  readonly trainings: readonly { readonly name: string; readonly days: number }[];
  readonly scores: string | undefined;
};

function readOptions(args: string[]): Options {
  const { values } = parseArguments(args, {
    data: { type: 'string', default: '../shared/data' },
    test: { type: 'string', default: '2018-08-08' },
    train: { type: 'string', default: 'week:7,quarter:91' },
    scores: { type: 'string' },
  });
  const trainings = values.train.split(',').map((text) => {
    const [, name, days] = /^([a-z]+):(\d{1,3})$/.exec(text) ?? [];
    if (name === undefined) throw new UsageError(`--train is NAME:DAYS, not '${text}'`);
    return { name, days: Number(days) };
  });
  const testMs = Date.parse(`${values.test}T00:00:00Z`);
  if (!(testMs % DAY_MS === 0)) throw new UsageError(`--test is a date, not '${values.test}'`);
  const data = resolve(values.data);
  if (!existsSync(join(data, 'evaluate.mjs'))) {
    throw new UsageError(`${data} has no evaluate.mjs; --data names the folder`);
  }
  return { data, testMs, trainings, scores: values.scores };
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

async function train(
  pipeline: Pipeline,
  { testMs, trainings }: Options,
): Promise<(Trained & { readonly name: string })[]> {
  const officers = await openOfficers(pipeline);
  const toMs = testMs - (DELAY_DAYS + 1) * DAY_MS;
  const trained: (Trained & { name: string })[] = [];
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

/** Results by transaction id. */
async function readScores(
  { services: { database } }: Pipeline,
  { testMs }: Options,
  modelId: string | null,
): Promise<Map<string, number>> {
  const week = [new Date(testMs), new Date(testMs + 7 * DAY_MS)];
  const { rows } =
    modelId === null
      ? await database.query<{ id: string; score: number }>(
          'select transaction_id as id, risk as score from scores where created_at >= $1 and created_at < $2',
          week,
        )
      : await database.query<{ id: string; score: number }>(
          `select id, score from shadow_batches, unnest(transaction_ids, probabilities) as s (id, score)
            where model_id = $1`,
          [modelId],
        );
  return new Map(rows.map(({ id, score }) => [id, score]));
}

type Judged = { readonly figures: Figures; readonly published: Published };

/** The figures by the protocol of this bench, and by the published evaluator. */
async function judge(
  options: Options,
  name: string,
  {
    week,
    payments,
    scores,
  }: {
    readonly week: readonly Tested[];
    readonly payments: readonly Payment[];
    readonly scores: Float64Array;
  },
  folder: string,
): Promise<Judged> {
  const file = join(options.scores ?? folder, `${name.replace('@', '-')}.csv`);
  const lines = payments.map(({ id }, row) => `${id},${scores[row]}`);
  await writeFile(file, `transaction_id,score\n${lines.join('\n')}\n`);
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(options.data, 'evaluate.mjs'),
    '--scores',
    file,
    '--from',
    dateOf(options.testMs),
    '--missing',
    'zero',
    '--json',
  ]);
  return { figures: measure(week, scores, name), published: JSON.parse(stdout) as Published };
}

async function* run(options: Options, context: BenchContext): AsyncGenerator<BenchReport> {
  const { signal, output } = context;
  const all = await readDays(join(options.data, 'handbook_tx_dev.csv.gz'));
  const before = all.filter(({ startMs }) => startMs < options.testMs);
  const tested = all.filter(
    ({ startMs }) => startMs >= options.testMs && startMs < options.testMs + 7 * DAY_MS,
  );
  await using pipeline = await startPipeline({ workers: 1, settings: {} }, context);
  const { feed } = openFeeder(pipeline, all, context);
  output.note(`feeding ${before.length} days`);
  const startedMs = performance.now();
  const fed = await feed(before);
  const seconds = (performance.now() - startedMs) / 1000;
  output.note('training');
  const models = await train(pipeline, options);
  await untilLoaded(
    pipeline,
    models.map(({ modelId }) => modelId),
    signal,
  );
  output.note('feeding the test week');
  const ids = await feed(tested);
  const payments = tested.flatMap((day) => day.payments);
  const week = testWeek(all, options.testMs, DELAY_DAYS);
  const rules = { name: 'rules', modelId: null, seconds: 0 };
  for (const { name, modelId, seconds: trainedSeconds } of [rules, ...models]) {
    const byId = await readScores(pipeline, options, modelId);
    const scores = Float64Array.from(ids, (id) => byId.get(id) ?? 0);
    const missing = ids.filter((id) => !byId.has(id)).length;
    const { figures, published } = await judge(
      options,
      name,
      { week, payments, scores },
      pipeline.folder,
    );
    yield {
      caseName: name,
      inputs: { test: dateOf(options.testMs), delayDays: DELAY_DAYS, payments: fed.length },
      settings: {},
      versions: pipeline.services.versions,
      perSecond: fed.length / seconds,
      figures: {
        replayed_per_second_with_labels: fed.length / seconds,
        ...(modelId === null ? {} : { training_seconds: trainedSeconds }),
        missing,
      },
      ceilings: [],
      tables: [
        {
          title: 'with 95 % over resampled customers',
          rows: Object.entries(figures).map(([figure, { value, low, high }]) => ({
            figure,
            value: value.toFixed(4),
            low: low.toFixed(4),
            high: high.toFixed(4),
          })),
        },
        {
          title: 'by evaluate.mjs',
          rows: Object.entries(published.blocks[0] ?? {}).map(([figure, value]) => ({
            figure,
            value,
          })),
        },
      ],
      breaches: [
        ...(missing === 0 ? [] : [`${missing} payments of the test week have no score`]),
        ...disagreements(figures, published),
      ],
    };
  }
}

export const bench: Bench = {
  name: 'detection',
  question: 'How well does the engine tell fraud, on published labelled payments?',
  onlyByName: 'it needs published data, and takes ten minutes',
  usage: USAGE,
  run: (args, context) => run(readOptions(args), context),
};
