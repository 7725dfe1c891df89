/** Steps of a case: each is one request, whose answer is the case as it is now. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type {
  CaseDisposition,
  ReviewCase,
  ReviewCaseDetail,
} from '../../../../src/kit/client/api-types.ts';
import { ask, deadline, Refusal } from '../../api/ask.ts';
import { ME } from '../../api/me.ts';
import { caseKey, REVIEWS } from './cases.ts';

const of = (id: string) => ({ path: { id } });

/** A step repeated after a lost answer is refused with 409. If the case shows the step as done, the step counts as successful. */
async function orDone(
  id: string,
  answer: Promise<ReviewCase>,
  isMade: (one: ReviewCaseDetail) => boolean,
): Promise<ReviewCase> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 409)) throw error;
    const one = await ask('GET /v1/reviews/{id}', of(id), deadline());
    if (isMade(one)) return one;
    throw error;
  }
}

/** Whether a case shows that a person has made a step. @param me the person's name */
export const isDone = {
  decide:
    (body: CaseDisposition, me: string) =>
    ({ decision }: ReviewCaseDetail) =>
      decision?.decided_by === me &&
      decision.disposition === body.disposition &&
      decision.reason === body.reason,
  giveBack:
    (me: string) =>
    ({ history: [last] }: ReviewCaseDetail) =>
      last?.action === 'case.return' && last.who === me,
  escalate:
    (me: string) =>
    ({ history: [last] }: ReviewCaseDetail) =>
      last?.action === 'case.escalate' && last.who === me,
};

/** @param me the name of the acting person */
export const steps = {
  claim: (id: string) => ask('POST /v1/reviews/{id}/claim', of(id), deadline()),
  keep: (id: string) => ask('POST /v1/reviews/{id}/lock', of(id), deadline()),
  release: (id: string) => ask('POST /v1/reviews/{id}/release', of(id), deadline()),
  decide: (id: string, body: CaseDisposition, me: string) =>
    orDone(
      id,
      ask('POST /v1/reviews/{id}/decide', { ...of(id), body }, deadline()),
      isDone.decide(body, me),
    ),
  undo: (id: string) => ask('POST /v1/reviews/{id}/undo', of(id), deadline()),
  confirm: (id: string) => ask('POST /v1/reviews/{id}/confirm', of(id), deadline()),
  giveBack: (id: string, reason: string, me: string) =>
    orDone(
      id,
      ask('POST /v1/reviews/{id}/return', { ...of(id), body: { reason } }, deadline()),
      isDone.giveBack(me),
    ),
  escalate: (id: string, reason: string, me: string) =>
    orDone(
      id,
      ask('POST /v1/reviews/{id}/escalate', { ...of(id), body: { reason } }, deadline()),
      isDone.escalate(me),
    ),
  assign: (id: string, assignee: string | null) =>
    ask('POST /v1/reviews/{id}/assign', { ...of(id), body: { assignee } }, deadline()),
};

export type Step = () => Promise<ReviewCase>;

/** Runs one step after another; a refusal shows the case as others have left it. */
export function useStep() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (step: Step) => step(),
    networkMode: 'always',
    onSuccess: (one) => {
      const merge = (known: ReviewCaseDetail | null | undefined) => known && { ...known, ...one };
      client.setQueryData<ReviewCaseDetail | null>(caseKey(one.transaction_id), merge);
    },
    // Roles may have changed since the login.
    onError: (error) => {
      if (error instanceof Refusal && error.status === 403) {
        void client.invalidateQueries({ queryKey: ME });
      }
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: [REVIEWS] });
    },
  });
}
