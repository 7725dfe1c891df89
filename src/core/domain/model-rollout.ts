/** States of models in corridors, by the log of rollouts. */
import type { ProposedState } from './model-record.ts';

export type Holding = {
  readonly state: ProposedState | 'deprecated';
  /** Percentage of the accounts; 0 except for a canary. */
  readonly canaryPercent: number;
};

export type Rollout = Holding & {
  readonly corridor: string;
  readonly modelId: string;
  /**
   * approval: two people decided; displacement: another model became active; rollback: one person or the engine took it back;
   * emergency: one person decided alone, for a day unless another person approves the same proposal.
   */
  readonly cause: 'approval' | 'displacement' | 'rollback' | 'emergency';
};

/** A row of the log. */
export type LoggedRollout = Rollout & {
  readonly proposalId: string | null;
  /** True for an emergency whose day is over by Postgres' clock; a newer row of its model may have confirmed it before. */
  readonly hasLapsed: boolean;
};
