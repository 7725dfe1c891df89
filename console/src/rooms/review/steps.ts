/** Steps of a case: each is one request, whose answer is the case as it is now. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type {
  CaseDisposition,
  ReviewCase,
  ReviewCaseDetail,
} from '../../../../src/kit/client/api-types.ts';
import { ask, Refusal } from '../../api/ask.ts';
import { ME } from '../../api/me.ts';
import { caseKey, REVIEWS } from './cases.ts';

const of = (id: string) => ({ path: { id } });

export const steps = {
  claim: (id: string) => ask('POST /v1/reviews/{id}/claim', of(id)),
  keep: (id: string) => ask('POST /v1/reviews/{id}/lock', of(id)),
  release: (id: string) => ask('POST /v1/reviews/{id}/release', of(id)),
  decide: (id: string, body: CaseDisposition) =>
    ask('POST /v1/reviews/{id}/decide', { ...of(id), body }),
  undo: (id: string) => ask('POST /v1/reviews/{id}/undo', of(id)),
  confirm: (id: string) => ask('POST /v1/reviews/{id}/confirm', of(id)),
  giveBack: (id: string, reason: string) =>
    ask('POST /v1/reviews/{id}/return', { ...of(id), body: { reason } }),
  escalate: (id: string, reason: string) =>
    ask('POST /v1/reviews/{id}/escalate', { ...of(id), body: { reason } }),
  assign: (id: string, assignee: string | null) =>
    ask('POST /v1/reviews/{id}/assign', { ...of(id), body: { assignee } }),
};

export type Step = () => Promise<ReviewCase>;

/** Runs one step after another; a refusal shows the case as others have left it. */
export function useStep() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (step: Step) => step(),
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
