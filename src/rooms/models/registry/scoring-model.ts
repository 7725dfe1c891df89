/** A registered model as scoring, verification and explanations use it. */
import { z } from 'zod';
import { POLICY } from '../../../core/domain/policy.ts';
import { factorSentence, SCORECARD_MARGIN } from '../../../core/score/factor-sentence.ts';
import type { JudgingModel } from '../../../core/score/judge.ts';
import { type OpinionBands, topFactors } from '../../../core/score/opinion.ts';
import type { Slot, StoredTable } from '../../../core/score/scorecard/day-table.ts';
import type { JudgedVector } from '../../../core/score/scorecard/judge-by-table.ts';
import { decidingTable } from '../../../core/score/scorecard/policy.ts';
import { bandsAt } from '../../../core/score/scorecard/shares.ts';
import { readSlots } from '../../../core/store/metadata-fields/metadata-fields.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import type { ModelManifest } from '../manifest.ts';
import { type Batch, gatherBatch } from '../model/batch.ts';
import { refuse, SHAPLEY_STEPS_MAX } from '../model/bounds.ts';
import type { Contributions } from '../model/explain-trees.ts';
import {
  bindFeatures,
  calibrateModel,
  type ModelFile,
  openModel,
  type ReadTrees,
} from '../model/model.ts';
import { judgeByPolicy } from '../model/policy-kind.ts';
import { readModel } from '../store/models.ts';
import { openAside } from './aside.ts';
import { checkModel, featureNames } from './check-model.ts';
import type { ModelWork } from './model-thread.ts';

type ScoringModel = JudgingModel & { readonly file: ModelFile };

/** More: the last is answered beyond the deadline of a request. Fewer: people who look at scores at the same time are refused. */
const WAITING_MAX = 8;
/** Largest file that is read without the thread: a larger file takes longer to read than the thread takes to begin. */
const SMALL_BYTES_MAX = 256 * 1024;

const aside = openAside<ModelWork>(new URL('./model-thread.ts', import.meta.url));

/**
 * Checks hash, feature schema and golden vectors in this process; a model that fails may not score.
 * @throws Failure `MODEL_INVALID`
 */
export const openScoringModel = (
  artefact: Uint8Array,
  manifest: ModelManifest,
  slots: readonly Slot[] = [],
): ScoringModel => toScoringModel(checkModel(artefact, manifest), manifest, slots);

function toScoringModel(
  file: ModelFile,
  manifest: ModelManifest,
  slots: readonly Slot[],
): ScoringModel {
  if ('policy' in file) return { file, ...judgeByPolicy(file, manifest.model) };
  const model = calibrateModel(openModel(file), manifest.calibration);
  const columns = bindFeatures(model, featureNames(slots));
  const isOnScorecard = model.featureNames.includes(SCORECARD_MARGIN);
  // Without a policy on its card a model on the scorecard decides nothing: no control has this name without a number.
  const under = isOnScorecard ? String(manifest.card?.['under'] ?? POLICY) : null;
  const ofCard = bandsOf(manifest.card);
  const fixed = isOnScorecard && ofCard ? { ...ofCard, isOfProbability: true as const } : ofCard;
  const { data: shares } = cardShares.safeParse(manifest.card?.['shares']);
  /** The bands of a night once the model has decided enough of the newest payments, else the bands of the card. */
  const bandsBy = (table: StoredTable | null) => {
    const tops = table?.table.tops.models.get(manifest.model);
    return shares && tops ? bandsAt(tops, shares.review, shares.decline) : fixed;
  };
  /** The margin of one vector; its contributions are in the order of the model's features. */
  const toParts = ({ batch, margins }: Row, { base, values }: Contributions) => {
    const margin = margins[0] ?? Number.NaN;
    const contributions = model.featureNames.map((feature, index) => ({
      feature,
      value: batch.values[index] ?? Number.NaN,
      contribution: values[index] ?? 0,
    }));
    const probability = model.probabilityOf(margin);
    return { base: base[0] ?? Number.NaN, margin, probability, contributions };
  };
  const rowOf = (judged: JudgedVector): Row => {
    const batch = gatherBatch([judged], columns);
    return { batch, margins: model.marginOf(batch) };
  };
  const byPath = ({ batch, margins }: Row) => model.contributionsOf(batch, margins, 'path');
  const factorsOf = (judged: JudgedVector) => {
    const row = rowOf(judged);
    return topFactors(toParts(row, byPath(row)).contributions);
  };
  return {
    file,
    modelId: model.sha256,
    name: manifest.model,
    under,
    isFree: false,
    judge(rows) {
      const margins = model.marginOf(gatherBatch(rows, columns));
      return rows.map((judged, row) => {
        const table = isOnScorecard ? decidingTable(judged) : null;
        if (isOnScorecard && table === null) return null;
        const probability = model.probabilityOf(margins[row] ?? Number.NaN);
        if (probability >= 0 && probability <= 1) {
          return { probability, bands: bandsBy(table), factors: () => factorsOf(judged) };
        }
        throw new Failure('transient', 'MODEL_OUTPUT', `${manifest.model} gives ${probability}`);
      });
    },
    async explain(judged, method) {
      const row = rowOf(judged);
      const isExact = method === 'shapley' && 'trees' in file;
      const told = isExact ? await exactly(manifest.model, file.trees, row) : byPath(row);
      const { contributions, ...parts } = toParts(row, told);
      return {
        model: manifest.model,
        method,
        ...parts,
        contributions: contributions
          .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
          .map(({ feature, value, contribution }) => ({
            feature,
            value: Number.isFinite(value) ? value : null,
            contribution,
            detail: factorSentence({ feature, value }),
          })),
      };
    },
  };
}

/**
 * Reads a registered model and proves it in this process.
 * @throws Failure `MODEL_CORRUPT`, `MODEL_INVALID` or `unavailable`
 */
export async function loadModel(
  database: Pick<Database, 'query'>,
  modelId: string,
): Promise<ScoringModel> {
  const { artefact, manifest } = await readModel(database, modelId);
  const slots = await readSlots(database.query);
  if (artefact.byteLength <= SMALL_BYTES_MAX) return openScoringModel(artefact, manifest, slots);
  return toScoringModel(await aside.run<ModelFile>({ artefact, manifest }), manifest, slots);
}

type Row = { readonly batch: Batch; readonly margins: Float64Array };

async function exactly(
  name: string,
  { ensemble, shapleySteps: steps }: ReadTrees,
  row: Row,
): Promise<Contributions> {
  if (steps > SHAPLEY_STEPS_MAX) {
    const detail = `must be path for ${name}: its exact Shapley values take ${steps} steps, and at most ${SHAPLEY_STEPS_MAX} are allowed`;
    throw new InvalidFields([{ pointer: '/method', detail }]);
  }
  if (aside.waiting() < WAITING_MAX) return await aside.run<Contributions>({ ensemble, ...row });
  const headers = { 'Retry-After': '10' };
  throw new Problem('overloaded', `${WAITING_MAX} exact explanations wait already.`, { headers });
}

const cardBands = z
  .object({ reviewFrom: z.number().positive(), declineFrom: z.number() })
  .refine(({ reviewFrom, declineFrom }) => reviewFrom <= declineFrom)
  .nullish();

/** Shares of a policy, by which each night sets the bands of trees. */
const cardShares = z.object({ review: z.number(), decline: z.number() });

/** Where a card has no bands, the rule set's decide. */
export function bandsOf(card: ModelManifest['card']): OpinionBands | null {
  const { success, data = null } = cardBands.safeParse(card?.['bands']);
  if (success) return data;
  return refuse('card.bands', 'must be reviewFrom and declineFrom, rising from above 0');
}
