/** What-ifs bound to the pure core, to histories rebuilt from Postgres and to the registry of models. */

import { readSettledRollouts } from '../../control/models/settled-rollouts.ts';
import type { ExplanationMethod } from '../../domain/explanation.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { AcceptDependencies } from '../../ingest/accept-transactions.ts';
import {
  findInvalid,
  type Surroundings,
  toTransaction,
} from '../../ingest/prepare-transactions.ts';
import type { ScoringModel } from '../../models/registry/scoring-model.ts';
import { lineFor, modelsInForce } from '../../models/rollout/in-force.ts';
import type { EvaluateDependencies, Evaluated } from '../../query/evaluate.ts';
import type { ModelShelf } from '../../query/model-shelf.ts';
import { createRecomputeVectors } from '../../query/recompute-vectors.ts';
import { explain } from '../../scoring/explain.ts';
import { FEATURE_SCHEMA } from '../../scoring/feature-schema.ts';
import { currentRuleSet } from '../../scoring/rule-sets.ts';
import { score } from '../../scoring/score.ts';
import type { Database } from '../../store/pool.ts';

/** Stands for "no model": the rules judge alone. */
const NONE = 'none';

export type EvaluateAdapters = {
  readonly database: Database;
  readonly shelf: ModelShelf;
  readonly maturityDays: number;
  readonly accept: Pick<AcceptDependencies, 'corridors' | 'now' | 'newId'>;
};

export function bindEvaluate(adapters: EvaluateAdapters): EvaluateDependencies {
  const { corridors, now, newId } = adapters.accept;
  const recomputeVectors = createRecomputeVectors(adapters.database, adapters.maturityDays);
  const look = (): Surroundings => ({ nowMs: now(), corridors: corridors(), newId });
  return {
    findInvalid: (input) => findInvalid([input], look()),
    toTransaction: (input) => ({ ...toTransaction(input, look()), receivedAtMs: now() }),
    async evaluate(transaction, { model: wanted, method }) {
      const judge =
        wanted === undefined
          ? await judgeInForce(adapters, transaction)
          : await judgeByName(adapters, wanted);
      if (typeof judge === 'string') return judge;
      const [vector] = await recomputeVectors([transaction]);
      if (vector === undefined) throw new Error('one transaction has one vector');
      return decide(judge, vector, method);
    },
  };
}

type Judge = { readonly model: ScoringModel | null; readonly degradation: 0 | 1 };

async function judgeByName({ shelf }: EvaluateAdapters, name: string): Promise<Judge | string> {
  if (name === NONE) return { model: null, degradation: 0 };
  const found = await shelf(name);
  return 'model' in found ? { model: found.model, degradation: 0 } : found.problem;
}

/** Finds the model as a worker would, except for models that one worker has suspended for itself. */
async function judgeInForce(
  { database, shelf }: EvaluateAdapters,
  { corridor, accountId }: Transaction,
): Promise<Judge> {
  const inForce = modelsInForce(await readSettledRollouts(database, 'evaluate')).get(corridor);
  const line = inForce === undefined ? [] : lineFor(inForce, accountId);
  for (const [place, modelId] of line.entries()) {
    const found = await shelf(modelId);
    if ('model' in found) return { model: found.model, degradation: place === 0 ? 0 : 1 };
  }
  return { model: null, degradation: line.length === 0 ? 0 : 1 };
}

function decide(
  { model, degradation }: Judge,
  vector: Float64Array,
  method: ExplanationMethod,
): Evaluated {
  const opinion = model?.judge([vector])[0] ?? null;
  const decision = score({ vector, ruleSet: currentRuleSet, opinion });
  const explained = explain({ features: vector, featureSchema: FEATURE_SCHEMA }, currentRuleSet);
  if (explained === undefined) throw new Error('what is computed now can be explained');
  const ofModel = model?.explain(vector, method) ?? null;
  return { decision, explanation: { ...explained, model: ofModel }, degradation };
}
