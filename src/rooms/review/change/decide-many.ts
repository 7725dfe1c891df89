/** Decides the cases that a request names, in one database transaction. */
import { z } from 'zod';
import { recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { CASE_LIMITS, type CaseJson, holderOf, type StoredCase } from '../case.ts';
import { toCaseJson } from '../case-json.ts';
import * as steps from '../case-steps.ts';
import { unknownCase } from '../queries/cases.ts';
import { lockCases, writeCases } from '../store/cases.ts';
import { readPolicy } from '../store/policies.ts';
import { type By, changeOf } from './steps.ts';

/** `POST /v1/reviews/decide` */
export const manySchema = z
  .strictObject({
    cases: z.array(z.uuid().toLowerCase()).min(1).max(CASE_LIMITS.decidedCases),
    ...steps.decideSchema.shape,
  })
  .meta({ id: 'DecisionOfMany' });

export const refusedCaseSchema = z.object({
  transaction_id: z.string(),
  code: z.string(),
  detail: z.string(),
});
type RefusedCase = z.infer<typeof refusedCaseSchema>;

/** Decides each named case, or says why a case is refused. A repetition changes nothing. */
export async function decideMany(
  database: Pick<Database, 'transaction'>,
  { cases, ...decision }: z.infer<typeof manySchema>,
  by: By,
): Promise<{ items: CaseJson[]; refused: RefusedCase[] }> {
  return await database.transaction(async (query) => {
    const { policy } = await readPolicy(query);
    const ids = [...new Set(cases)];
    const known = new Map(
      (await lockCases(query, ids)).map((lockCase) => [lockCase.transaction_id, lockCase]),
    );
    const decided: Decided[] = [];
    const decide = (id: string): CaseJson => {
      const found = known.get(id);
      if (found === undefined) throw unknownCase(id);
      // A client repeats a request whose answer was lost.
      const isRepeated =
        found.decided_by === by.name &&
        found.disposition === decision.disposition &&
        found.decision_reason === decision.reason;
      if (isRepeated) return toCaseJson(found, policy);
      // The time of an earlier claim would read as if the case were claimed now.
      const free = holderOf(found) === null ? { ...found, claimed_at: null } : found;
      const claimed = { ...free, ...steps.claim(free, by, policy) };
      const changed = steps.decide(claimed, by, policy, decision);
      const after = { ...claimed, ...changed };
      decided.push({ before: found, changed, after });
      return toCaseJson(after, policy);
    };
    const outcomes = ids.map((id) => orRefused(id, decide));
    await writeCases(
      query,
      decided.map(({ after }) => after),
    );
    await recordChanges(
      query,
      by,
      decided.map(({ before, changed }) => changeOf('case.decide', before, changed)),
    );
    return {
      items: outcomes.filter((outcome) => 'state' in outcome),
      refused: outcomes.filter((outcome) => 'detail' in outcome),
    };
  });
}

function orRefused(id: string, decide: (id: string) => CaseJson): CaseJson | RefusedCase {
  try {
    return decide(id);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { transaction_id: id, code: error.code, detail: error.message };
  }
}

type Decided = {
  readonly before: StoredCase;
  readonly changed: steps.CaseStep;
  readonly after: StoredCase;
};
