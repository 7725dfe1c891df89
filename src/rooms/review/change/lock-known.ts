/** Finds a case by its id and keeps others from changing it. */
import type { Query } from '../../../kit/database/pool.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { StoredCase } from '../case.ts';
import { lockCase } from '../store/cases.ts';

/** @throws Failure `not-found` */
export async function lockKnown(query: Query, id: string): Promise<StoredCase> {
  const one = await lockCase(query, id);
  if (one === undefined) throw unknownCase(id);
  return one;
}

export function unknownCase(id: string): Failure {
  return new Failure('not-found', 'CASE_UNKNOWN', `no case has the id ${given(id)}`);
}
