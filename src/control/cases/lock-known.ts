/** Finds a case by its id and keeps others from changing it. */
import { given } from '../../domain/describe-issue.ts';
import { Failure } from '../../domain/failure.ts';
import type { StoredCase } from '../../domain/review-case.ts';
import { lockCase } from '../../store/cases/review-cases.ts';
import type { Query } from '../../store/database/pool.ts';

/** @throws Failure `not-found` */
export async function lockKnown(query: Query, id: string): Promise<StoredCase> {
  const one = await lockCase(query, id);
  if (one === undefined) throw unknownCase(id);
  return one;
}

export function unknownCase(id: string): Failure {
  return new Failure('not-found', 'CASE_UNKNOWN', `no case has the id ${given(id)}`);
}
