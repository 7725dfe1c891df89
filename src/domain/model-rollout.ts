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
  /** approval: as proposed; displacement: another model became active; rollback: somebody went back. */
  readonly cause: 'approval' | 'displacement' | 'rollback';
};
