/** Says which corridors a market has, where somebody names another one. */
import { given, NAMED_MAX, oneOf } from '../../kit/words/describe-issue.ts';

/** Undefined where a transaction may name the corridor. A market of many corridors names their list in place of them. */
export function corridorProblem(known: ReadonlySet<string>, corridor: string): string | undefined {
  if (known.has(corridor)) return undefined;
  const which = known.size <= NAMED_MAX ? oneOf([...known]) : 'a corridor of GET /v1/corridors';
  return `must be ${which}, not ${given(corridor)}`;
}
