/**
 * Trains the trees of a week on logged vectors of sampled payments and known frauds, as stored and known at 00:00 of a day, from days that
 * nights have counted. Registers the trees and puts them into shadow; the same store gives the same bytes.
 */

import { FEATURE_SCHEMA } from '../../../core/domain/feature-schema.ts';
import type { TrainingOptions } from '../../../core/room.ts';
import { SCORECARD_MARGIN } from '../../../core/score/factor-sentence.ts';
import { textOfDay } from '../../../core/score/scorecard/day-table.ts';
import { CUT_PAYMENTS, leastHashes } from '../../../core/score/scorecard/kept-rows.ts';
import { bandAt, topsOf } from '../../../core/score/scorecard/shares.ts';
import { readSlots } from '../../../core/store/metadata-fields/metadata-fields.ts';
import { putInShadow } from '../../../core/store/rollouts/rollouts.ts';
import { listLeftOut, maturedBy } from '../../../core/store/scorecards/left-out.ts';
import { readLeast, readPolicyOfNight } from '../../../core/store/scorecards/read-night.ts';
import {
  type Matured,
  readFrauds,
  readVectorRows,
} from '../../../core/store/scorecards/read-payments.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { inSnapshot } from '../../../kit/database/snapshot.ts';
import { resultOf } from '../../../kit/process/steps.ts';
import { createRandom } from '../../../kit/random.ts';
import { uuidsIn } from '../../../kit/words/cursor.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { calibrateModel, type Model } from '../model/model.ts';
import { describeModel, featureNames } from '../registry/check-model.ts';
import { registerModel } from '../registry/register-model.ts';
import { compareTrees, listLearnt, OWN_TREES } from '../store/trees.ts';
import { buildModel, findLack } from '../training/build-model.ts';
import { readCodeVersion } from '../training/code-version.ts';
import { marginsOf } from '../training/fit-artefact.ts';
import { treeDefaults } from '../training/options.ts';
import { countFrauds, createCollector, type FeatureChoice } from '../training/rows.ts';

/** Days before a table whose payments are read. */
const DAYS = 90;
/** Bound of a trainer's memory: 283 MiB were measured with as many values as are read, after a night of a million payments. */
const TRAINER_MIB = 288;
/** Memory beside the rows: modules, heap and remains of a night; and bytes of a value in columns, bins and the copy of a half. */
const [FIXED_MIB, VALUE_BYTES] = [192, 8];
const VALUES_MAX = ((TRAINER_MIB - FIXED_MIB) * 2 ** 20) / VALUE_BYTES;
/** Share of rows that are frauds from outside the sample. */
const FRAUD_SHARE = 1 / 7;

/** Members of a row that trees do not use: no figure is by day or corridor. */
const UNTOLD = { label: 'legitimate', day: 0, corridor: '' } as const;

type Options = Omit<TrainingOptions, 'by'>;

/** @throws Failure `TOO_LITTLE_DATA` */
export async function trainTrees(database: Database, { by, ...options }: TrainingOptions) {
  const { artefact, manifest } = await makeTrees(database, options);
  await registerModel(database, {
    ...{ artefact, manifest, goldenSource: 'manifest', by },
    alongside: (query) => putInShadow(query, manifest.sha256, by),
  });
}

/** Makes what is registered. */
export async function makeTrees(database: Database, options: Options, valuesMax = VALUES_MAX) {
  const name = `${OWN_TREES}@${textOfDay(options.day)}`;
  const read = await inSnapshot(database, (query) => readTraining(query, options, valuesMax));
  const { training, base, under, terms, matured, slots, choice, beside } = read;
  const isJudged = (_: number, row: number) => !Number.isNaN(base[row]);
  const labels = training.labels.filter(isJudged);
  const accounts = training.accounts.filter(isJudged);
  const lack = findLack({ ...training, labels, accounts }, null);
  if (lack !== undefined) throw new Failure('invalid', 'TOO_LITTLE_DATA', lack);
  const frauds = countFrauds(training.labels);
  const trainer = { kind: 'trees', options: treeDefaults(frauds) } as const;
  const { review_share: reviewed, decline_share: declines } = terms;
  const steps = buildModel({
    ...{ training, base, trainer, validation: null, daysSeen: 0 },
    bandsRule: { by: 'share', reviews: reviewed - declines, declines },
    randomFor: (purpose) => createRandom(`${name}/${purpose}`),
  });
  const built = await resultOf(steps, options.signal);
  const { bytes: artefact, model, size, calibration, judged } = built;
  const scored = scoreNewest(calibrateModel(model, calibration), choice);
  const probabilities = await inSnapshot(database, (query) => scored(query, matured, options));
  const tops = topsOf(probabilities);
  const bands =
    tops.length === 0
      ? judged.bands
      : { reviewFrom: bandAt(tops, reviewed), declineFrom: bandAt(tops, declines) };
  const told = {
    ...{ feature_schema: FEATURE_SCHEMA, calibration },
    lineage: {
      trained: {
        from: textOfDay(matured.fromMs / DAY_MS),
        to: textOfDay(matured.toMs / DAY_MS - 1),
        known_by: new Date(matured.knownByMs).toISOString(),
      },
      ...{ code_version: await readCodeVersion(), parent: null },
    },
    card: {
      ...{ under, rows: labels.length, frauds, size, options: trainer.options },
      ...{ importance: judged.importance, bands, shares: { review: reviewed, decline: declines } },
      beside,
    },
  };
  return { artefact, manifest: describeModel(artefact, name, createRandom('golden'), told, slots) };
}

/**
 * Payments with the least hashes, which are a sample of all, and frauds outside the sample, in the order of time. Each row has the log-odds
 * by the table that judged the payment: NaN without a learnt table, and for a fraud outside the sample.
 */
async function readTraining(query: Query, { signal, ...options }: Options, valuesMax: number) {
  const { name: under, terms } = await readPolicyOfNight(query);
  const slots = await readSlots(query);
  const matured = maturedBy(options, DAYS, await listLeftOut(query));
  const all = featureNames(slots);
  // No vector has the margin of the scorecard, so no tree splits on it.
  const names = [
    SCORECARD_MARGIN,
    ...all.filter((name) => !terms.measures_left_out.includes(name)),
  ];
  const choice = { names, columns: Int32Array.from(names, (name) => all.indexOf(name)) };
  const rowsMax = Math.floor(valuesMax / names.length);
  const fraudsMax = Math.floor(FRAUD_SHARE * rowsMax);
  const [fromDay, toDay] = [matured.fromMs / DAY_MS, matured.toMs / DAY_MS];
  const sampled = new Set(await readLeast(query, fromDay, toDay, rowsMax - fraudsMax));
  const frauds = leastHashes(fraudsMax);
  for await (const page of readFrauds(query, matured, false, signal)) {
    for (const { id } of page) frauds.add(id);
  }
  const learnt = new Set((await listLearnt(query)).map(({ serial }) => serial));
  const ids = [...new Set([...sampled, ...uuidsIn(frauds.end())])].sort();
  const collector = createCollector(choice, ids.length, false);
  const margins: number[] = [];
  for await (const rows of readVectorRows(query, ids, matured, signal)) {
    for (const { id, vector, accountId, scorecard, margin, isFraud } of rows) {
      if (isFraud === null) continue;
      const label = isFraud ? 'fraud' : 'legitimate';
      collector.add([{ ...UNTOLD, vector, accountId, label }]);
      margins.push(sampled.has(id) && learnt.has(scorecard ?? 0) ? Number(margin) : Number.NaN);
    }
  }
  const beside = await compareTrees(query, matured, terms.review_share);
  const [training, base] = [collector.finish(), Float64Array.from(margins)];
  return { training, base, under, terms, matured, slots, choice, beside };
}

/**
 * Probabilities of the payments since the days that trees learn from. With rows of 90 days, whose share of frauds differs, trees of one
 * simulated process stopped 0.61 of their share; with these payments 0.78.
 */
const scoreNewest =
  (model: Model, choice: FeatureChoice) =>
  async (query: Query, matured: Matured, { day, signal }: Options): Promise<number[]> => {
    const newest = await readLeast(query, matured.toMs / DAY_MS, day, CUT_PAYMENTS);
    const probabilities: number[] = [];
    for await (const page of readVectorRows(query, newest, matured, signal)) {
      const rows = page.filter(({ isFraud, margin }) => isFraud !== null && margin !== null);
      const collector = createCollector(choice, rows.length, false);
      collector.add(rows.map((row) => ({ ...row, ...UNTOLD })));
      marginsOf(model, collector.finish()).forEach((margin, row) => {
        probabilities.push(model.probabilityOf(margin + Number(rows[row]?.margin)));
      });
    }
    return probabilities;
  };
