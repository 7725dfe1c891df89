/**
 * The seam `judge`: how models decide beside the rules. A room gives it; without such a room the rules decide alone. One set
 * of models judges a whole batch.
 */
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import type { ExplanationMethod, ModelExplanation } from '../domain/explanation.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Opinion } from './opinion.ts';
import type { JudgedVector } from './scorecard/judge-by-table.ts';

/** A registered model that passed its checks in this process: pure and immutable. */
export type JudgingModel = {
  /** SHA-256 of the artefact. */
  readonly modelId: string;
  /** `name@version`, as stored with scores. */
  readonly name: string;
  /** Name of the policy without which the model decides nothing; null: the model needs none. */
  readonly under: string | null;
  /** The model takes no unit of inference, as what it computes is computed in any case. */
  readonly isFree: boolean;
  /**
   * An opinion for each vector, all in one call: a row alone costs several times as much. Null: the model says nothing of the
   * vector, and the rules decide.
   * @throws Failure `MODEL_OUTPUT` for a result that is no probability
   */
  readonly judge: (rows: readonly JudgedVector[]) => (Opinion | null)[];
  /**
   * The contributions to one vector's margin.
   * @throws InvalidFields where the model is too large for the method, or Problem while too many wait
   */
  readonly explain: (row: JudgedVector, method: ExplanationMethod) => Promise<ModelExplanation>;
};

export type JudgedRow = JudgedVector & { readonly transaction: Transaction };

export type Judgement = {
  /** Null: the rules decide alone. */
  readonly opinion: Opinion | null;
  readonly model: string | null;
  /** The policy of the model. */
  readonly under: string | null;
  /** 1 where it is not the model that should have judged. */
  readonly degradation: 0 | 1;
};

export const BY_RULES: Judgement = { opinion: null, model: null, under: null, degradation: 0 };

/** The opinions of one model on a batch, which decide nothing. */
export type ShadowBatch = {
  readonly modelId: string;
  readonly transactionIds: readonly string[];
  readonly probabilities: readonly number[];
};

/** A judgement for each row, or none where no corridor has a model. */
export type Judged = {
  readonly judgements: readonly Judgement[];
  readonly shadows: readonly ShadowBatch[];
};

/** Judges the batches of a worker. */
export type Judge = {
  /** @throws Failure `unavailable` when the models in force are unknown */
  readonly judge: (rows: readonly JudgedRow[]) => Promise<Judged>;
  /** Called once the scores are stored. Never throws: a batch does not fail for its shadows. */
  readonly storeShadows: (shadows: readonly ShadowBatch[], scoredAtMs: number) => Promise<void>;
};

export const RULES_ALONE: Judge = {
  judge: async () => ({ judgements: [], shadows: [] }),
  storeShadows: async () => undefined,
};

/** A model, or why it is not available. */
export type FoundModel = { readonly model: JudgingModel } | { readonly problem: string };

/** Registered models for explanations, what-ifs and verification. Both functions throw a Failure `unavailable`. */
export type Models = {
  /** @param reference SHA-256 or `name@version` */
  readonly find: (reference: string) => Promise<FoundModel>;
  /** The model that a worker would ask, except for models that one worker has suspended for itself. */
  readonly findInForce: (
    transaction: Pick<Transaction, 'corridor' | 'accountId'>,
  ) => Promise<{ readonly model: JudgingModel | null; readonly degradation: 0 | 1 }>;
};
export type OpenModels = (databases: Databases) => Promise<Models>;

export const NO_MODELS: Models = {
  find: async () => ({ problem: 'is not registered' }),
  findInForce: async () => ({ model: null, degradation: 0 }),
};
