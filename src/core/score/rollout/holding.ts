/** States of models and rule sets in corridors, and the states that people may ask for. One mechanism rolls out both. */
import { z } from 'zod';
import { whyText } from '../../../kit/words/plain-text.ts';

/** States that a proposal may ask for, in the order in which a subject rises. */
export const PROPOSED_STATES = ['shadow', 'canary', 'active'] as const;
export type ProposedState = (typeof PROPOSED_STATES)[number];

export type Holding<State = ProposedState | 'deprecated'> = {
  readonly state: State;
  /** Percentage of the accounts; 0 except for a canary. */
  readonly canary_percent: number;
};
export type ProposedHolding = Holding<ProposedState>;

/** Reads `shadow`, `canary:5` or `active`. */
export const proposedHolding = z.string().transform((text, context): ProposedHolding => {
  const [, name, percent] = /^([a-z]+)(?::([1-9]\d?))?$/.exec(text) ?? [];
  const state = PROPOSED_STATES.find((known) => known === name);
  if (state !== undefined && (state === 'canary') === (percent !== undefined)) {
    return { state, canary_percent: Number(percent ?? 0) };
  }
  context.addIssue('must be shadow, canary:N with N from 1 to 99, or active');
  return z.NEVER;
});

export type Rollout = Holding & {
  readonly corridor: string;
  /** SHA-256 of a model, or the name of a rule set. */
  readonly subject: string;
  /** The subject as people name it; absent from rows that are not in the log yet. */
  readonly name?: string;
  /**
   * approval: two people decided; displacement: another one became active; rollback: one person or the engine took it back;
   * emergency: one person decided alone, for a day unless another person confirms the same; engine: the engine put into shadow
   * what it trained itself.
   */
  readonly cause: 'approval' | 'displacement' | 'rollback' | 'emergency' | 'engine';
};

/** A row of the log. */
export type LoggedRollout = Rollout & {
  readonly approval_id: string | null;
  /** True for an emergency whose day is over by Postgres' clock; a newer row of its model may have confirmed it before. */
  readonly hasLapsed: boolean;
};

/** `canary:5` */
export function holdingText({ state, canary_percent }: Holding): string {
  return state === 'canary' ? `canary:${canary_percent}` : state;
}

const REASON_CHARS_MAX = 1024;
/** Why a decision cannot wait. */
export const reasonText = whyText(REASON_CHARS_MAX);
/** In a proposal. */
export const overrideText = reasonText.optional().meta({
  description:
    'Why it goes on before the dwell time and the gates of its stage; the person who confirms it reads the reason.',
});
/** Stands for all corridors that exist at the decision. */
export const ALL_CORRIDORS = 'all';
const CORRIDOR_OR_ALL = new RegExp(`^([A-Z]{2}-[A-Z]{2}|${ALL_CORRIDORS})$`);
export const corridorOrAll = z
  .string()
  .regex(CORRIDOR_OR_ALL, `must be a corridor, or ${ALL_CORRIDORS}`)
  .meta({ example: 'US-EG' });
