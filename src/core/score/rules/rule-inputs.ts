/** The inputs that a rule set reads beside the vector, as a batch gives them and a score has them. */
import type { CompiledRuleSet } from './compile-rule-set.ts';
import { CORRIDOR_KEY, type Inputs } from './generate-program.ts';

const NOTHING: Inputs = [];

/** Values in the order of the rule set's inputs; an input that scores do not record is missing. */
export function inputsOf(
  { inputs }: Pick<CompiledRuleSet, 'inputs'>,
  { corridor }: { readonly corridor: string },
): Inputs {
  if (inputs.length === 0) return NOTHING;
  return inputs.map((key) => (key === CORRIDOR_KEY ? corridor : null));
}

/** Inputs that scores do not record, so that no decision by them could be verified. */
export const unrecordedInputs = ({ inputs }: Pick<CompiledRuleSet, 'inputs'>) =>
  inputs.filter((key) => key !== CORRIDOR_KEY);
