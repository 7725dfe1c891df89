/** A model that is in force in a corridor but does not judge there. */
export type ModelOut = { readonly corridor: string; readonly model: string };

/** Degradation of a corridor whose model is out: the one before it judges, or the rules do. */
export const MODEL_OUT_LEVEL = 1;

/** Name of the breaker that reports it. */
export function breakerOf({ corridor, model }: ModelOut): string {
  return `model:${corridor}:${model}`;
}
