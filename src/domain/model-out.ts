/** A model that should decide or shadow in a corridor and does not. */
export type ModelOut = { readonly corridor: string; readonly model: string };

/** Degradation of a corridor where a model is out: the one before it judges, or the rules do. */
export const MODEL_OUT_LEVEL = 1;

/** The breaker that it is told as. */
export function breakerOf({ corridor, model }: ModelOut): string {
  return `model:${corridor}:${model}`;
}
