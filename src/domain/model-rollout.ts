/** What models do in corridors, as the log of rollouts has it. */
import type { ProposedState } from './model-record.ts';

export type Holding = {
  readonly state: ProposedState | 'deprecated';
  /** Of the accounts; 0 but for a canary. */
  readonly canaryPercent: number;
};

export type Rollout = Holding & {
  readonly corridor: string;
  readonly modelId: string;
  /**
   * approval: as proposed; displacement: another model became active; rollback: somebody went back; emergency: somebody alone,
   * for a day unless the same proposal is approved.
   */
  readonly cause: 'approval' | 'displacement' | 'rollback' | 'emergency';
};

/** A row of the log. */
export type LoggedRollout = Rollout & {
  readonly proposalId: string | null;
  /** An emergency whose day is over, by Postgres' clock. It was confirmed where it is not the newest row of its model. */
  readonly hasLapsed: boolean;
};
