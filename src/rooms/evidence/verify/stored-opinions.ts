/** Recomputes what the models named in stored scores make of the stored vectors. */
import type { Models, Opinion } from '../../../core/score/judge.ts';
import type { SampledScore } from '../store/score-sample.ts';

type StoredOpinions = {
  /** One opinion per score; null where no model judged, undefined where the model cannot be loaded. */
  readonly judge: (scores: readonly SampledScore[]) => Promise<(Opinion | null | undefined)[]>;
  /** Why models could not be loaded, by name. */
  readonly problems: ReadonlyMap<string, string>;
};

export function createStoredOpinions(models: Models): StoredOpinions {
  const problems = new Map<string, string>();
  const judgeBy = async (name: string, scores: readonly SampledScore[]) => {
    // A model that could not be loaded is not tried again for every page.
    if (problems.has(name)) return [];
    const found = await models.find(name);
    if ('model' in found) return found.model.judge(scores.map(({ features }) => features));
    problems.set(name, found.problem);
    return [];
  };
  return {
    problems,
    async judge(scores) {
      const opinions: (Opinion | null | undefined)[] = scores.map(() => null);
      const numbered = scores.map((score, index) => ({ score, index }));
      for (const [name, ofModel] of Map.groupBy(numbered, ({ score }) => score.model)) {
        if (name === null) continue;
        const made = await judgeBy(
          name,
          ofModel.map(({ score }) => score),
        );
        for (const [at, { index }] of ofModel.entries()) opinions[index] = made[at];
      }
      return opinions;
    },
  };
}
