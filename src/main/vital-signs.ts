/** The checks behind /livez and /readyz. */
import { settlesWithin } from '../kit/process/settles-within.ts';

/** Alive while the last sign is less than `quietMsMax` old. */
export function createLife(quietMsMax: number): { sign: () => void; isAlive: () => boolean } {
  let lastMs = performance.now();
  return {
    sign() {
      lastMs = performance.now();
    },
    isAlive: () => performance.now() - lastMs < quietMsMax,
  };
}

type Check = () => Promise<boolean>;

const FRESH_MS = 1000;
/** A check that takes longer than this has failed. */
const CHECK_MS_MAX = 2000;

/** Runs all checks at once, at most once a second however often it is asked; a check that fails is false. */
export function createReadiness(
  checks: Readonly<Record<string, Check>>,
): () => Promise<Readonly<Record<string, boolean>>> {
  let askedMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<Readonly<Record<string, boolean>>> = Promise.resolve({});
  const askAll = async () => {
    const answers = Object.entries(checks).map(async ([name, check]) => {
      const works = check().catch(() => false);
      return [name, (await settlesWithin(works, CHECK_MS_MAX)) && (await works)] as const;
    });
    return Object.fromEntries(await Promise.all(answers));
  };
  return () => {
    if (performance.now() - askedMs > FRESH_MS) {
      askedMs = performance.now();
      answer = askAll();
    }
    return answer;
  };
}
