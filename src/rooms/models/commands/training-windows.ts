/** Reads the windows of a training, all from one snapshot, into columns. */

import type { Database } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { readTrainingRows, type TrainingReader } from '../store/training-rows.ts';
import type { DataWindow } from '../training/card/model-card.ts';
import { countFrauds, createCollector } from '../training/rows.ts';
import type { DateWindow, TrainSettings } from './train-options.ts';

/** Most values of a window: rows times features. A byte and a float32 of each are 1 GB. */
const VALUES_MAX = 200_000_000;

type OnRead = (window: string, rows: number, rowsMax: number) => void;

/** @throws Failure for a window that has no scores, or too many */
export async function readWindows(
  database: Database,
  settings: TrainSettings,
  onRead: OnRead,
  signal: AbortSignal,
) {
  const { training, validation, knownByMs, unlabelled } = settings;
  const selection = { knownByMs, unlabelled, signal };
  return await readTrainingRows(database, selection, async (reader) => ({
    training: await readWindow(reader, settings, training, 'training', onRead),
    validation:
      validation && (await readWindow(reader, settings, validation, 'validation', onRead)),
  }));
}

async function readWindow(
  reader: TrainingReader,
  settings: TrainSettings,
  dates: DateWindow,
  name: 'training' | 'validation',
  onRead: OnRead,
) {
  const rowsMax = await reader.count(dates);
  refuseCount(dates, settings, rowsMax);
  const isJudged = name === 'validation';
  const collector = createCollector(settings.choice, rowsMax, isJudged);
  let read = 0;
  let withoutLabel = 0;
  onRead(name, read, rowsMax);
  await reader.read(dates, isJudged, (page) => {
    collector.add(page);
    read += page.length;
    withoutLabel += page.filter(({ label }) => label === null).length;
    onRead(name, read, rowsMax);
  });
  const rows = collector.finish();
  const window: DataWindow = {
    from: dates.from,
    to: dates.to,
    knownBy: new Date(settings.knownByMs).toISOString(),
    rows: read,
    frauds: countFrauds(rows.labels),
    unlabelled: rowsMax - read + withoutLabel,
    unlabelledAs: settings.unlabelled,
  };
  return {
    rows,
    window,
    /** Days of traffic that the rows stand for: fewer than the window has, where labels are missing. */
    daysSeen: (((dates.toMs - dates.fromMs) / DAY_MS) * read) / rowsMax,
  };
}

function refuseCount({ from, to }: DateWindow, { choice }: TrainSettings, rows: number): void {
  const refuse = (why: string): never => {
    throw new Failure('invalid', 'NO_TRAINING_DATA', `${from} to ${to}: ${why}`);
  };
  const features = choice.names.length;
  if (rows === 0) refuse('no scores');
  if (rows * features > VALUES_MAX) {
    refuse(
      `${rows} rows of ${features} features are more than ${VALUES_MAX} values: take fewer days, or --features`,
    );
  }
}
