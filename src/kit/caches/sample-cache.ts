/** Answers made of samples, in memory for a minute: each takes up to some seconds, so one a minute and question is made. */
import { type AnswerText, type CacheMetrics, createAnswerCache } from './answer-cache.ts';

const BYTES_MAX = 1024 * 1024;
/** No version says whether a sample is still the same, so this age bounds how wrong an answer may be. */
const AGE_MS_MAX = 60_000;

/** @param name the label of its metrics */
export function createSampleCache<Question>(
  name: string,
  metrics: CacheMetrics,
  keyOf: (question: Question) => string,
  make: (question: Question) => Promise<object>,
): (question: Question) => Promise<AnswerText> {
  const cache = createAnswerCache<Question>({
    name: () => name,
    metrics,
    bytesMax: BYTES_MAX,
    keyOf,
    ageMsMax: () => AGE_MS_MAX,
    make: async (question) => {
      const text = JSON.stringify(await make(question));
      return { text, version: undefined, lagMs: undefined };
    },
    readVersion: null,
  });
  return async (question) => {
    const served = await cache.read(question);
    if (served === undefined) throw new Error(`${name} always have an answer`);
    return served.answer;
  };
}
