/** Decides several cases in one database transaction: all cases of a ring, or the cases that a request names. */
import { z } from 'zod';
import { recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { plainText } from '../../../kit/words/plain-text.ts';
import { CASE_LIMITS, type CaseJson, holderOf, RING_PARTIES, type StoredCase } from '../case.ts';
import { toCaseJson } from '../case-json.ts';
import * as steps from '../case-steps.ts';
import type { ReviewPolicy } from '../policy.ts';
import { unknownCase } from '../queries/cases.ts';
import { lockCases, lockRing, writeCases } from '../store/cases.ts';
import { readPolicy } from '../store/policies.ts';
import { type By, changeOf } from './steps.ts';

/** A decision about all open cases of a party. */
export const ringSchema = z
  .strictObject({
    party: z.enum(RING_PARTIES),
    id: plainText(CASE_LIMITS.fileNameChars),
    ...steps.decideSchema.shape,
  })
  .meta({ id: 'RingDecision' });

/** Decides the open cases of a ring, except those that other reviewers have claimed. */
export async function decideRing(
  database: Pick<Database, 'transaction'>,
  { party, id, ...decision }: z.infer<typeof ringSchema>,
  by: By,
): Promise<{ items: CaseJson[]; more: boolean }> {
  return await database.transaction(async (query) => {
    const { policy } = await readPolicy(query);
    const cases = await lockRing(query, by, party, id, CASE_LIMITS.ringCases + 1);
    const taken = cases.slice(0, CASE_LIMITS.ringCases);
    const decided = taken.map((one) => decideUnclaimed(one, by, policy, decision));
    await writeDecided(query, by, decided, { ring: `${party} ${id}` });
    return {
      items: decided.map(({ after }) => toCaseJson(after, policy)),
      more: cases.length > taken.length,
    };
  });
}

/** `POST /v1/reviews/decide` */
export const manySchema = z
  .strictObject({
    cases: z.array(z.uuid().toLowerCase()).min(1).max(CASE_LIMITS.ringCases),
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
    const known = new Map((await lockCases(query, ids)).map((one) => [one.transaction_id, one]));
    const decided: Decided[] = [];
    const decide = (id: string): CaseJson => {
      const one = known.get(id);
      if (one === undefined) throw unknownCase(id);
      if (isRepeated(one, by, decision)) return toCaseJson(one, policy);
      const now = decideUnclaimed(one, by, policy, decision);
      decided.push(now);
      return toCaseJson(now.after, policy);
    };
    const outcomes = ids.map((id) => orRefused(id, decide));
    await writeDecided(query, by, decided);
    return {
      items: outcomes.filter((one) => 'state' in one),
      refused: outcomes.filter((one) => 'detail' in one),
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

/** Whether the person has already decided the case so: a client repeats a request whose answer was lost. */
const isRepeated = (one: StoredCase, { name }: By, { disposition, reason }: steps.Decision) =>
  one.decided_by === name && one.disposition === disposition && one.decision_reason === reason;

type Decided = {
  readonly before: StoredCase;
  readonly changed: steps.CaseStep;
  readonly after: StoredCase;
};

function decideUnclaimed(
  before: StoredCase,
  by: By,
  policy: ReviewPolicy,
  decision: steps.Decision,
): Decided {
  // The time of an earlier claim would read as if the case were claimed now.
  const free = holderOf(before) === null ? { ...before, claimed_at: null } : before;
  const claimed = { ...free, ...steps.claim(free, by, policy) };
  const changed = steps.decide(claimed, by, policy, decision);
  return { before, changed, after: { ...claimed, ...changed } };
}

/** @param of members that each audit row has beside the decision */
async function writeDecided(query: Query, by: By, decided: readonly Decided[], of: object = {}) {
  await writeCases(
    query,
    decided.map(({ after }) => after),
  );
  await recordChanges(
    query,
    by,
    decided.map(({ before, changed }) => changeOf('case.decide', before, { ...changed, ...of })),
  );
}
