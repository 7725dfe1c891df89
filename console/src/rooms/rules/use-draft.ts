/** A draft in the browser: what was typed, what is saved, what is wrong, and what it hits of yesterday. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { RuleSetDetail } from '../../../../src/kit/client/api-types.ts';
import { ask, Refusal } from '../../api/ask.ts';
import { bodyOf, type Source } from './source.ts';
import { useSettled } from './use-settled.ts';

/** The API's document says of a source only that it is an object; the API has checked it. */
export const sourceOf = (detail: RuleSetDetail) => detail.source as unknown as Source;

/** The draft as it is edited, and how it is saved: by the tag of what it was made from. */
export function useDraft(detail: RuleSetDetail) {
  const client = useQueryClient();
  const id = detail.rule_set;
  const [base, setBase] = useState({ tag: detail.tag, source: sourceOf(detail) });
  const [source, change] = useState(base.source);
  const [conflict, setConflict] = useState<RuleSetDetail>();
  const isChanged = source !== base.source;
  const take = (newer: RuleSetDetail | undefined, sent?: Source) => {
    setConflict(undefined);
    if (newer === undefined) return;
    const saved = sourceOf(newer);
    setBase({ tag: newer.tag, source: saved });
    // A text that was typed since stays.
    change((now) => (sent === undefined || now === sent ? saved : now));
    client.setQueryData(['rule-set', id], newer);
    void client.invalidateQueries({ queryKey: ['rule-sets'] });
  };
  const put = (sent: Source, tag: string) =>
    ask('PUT /v1/rule-sets/{id}', { path: { id }, body: bodyOf(sent), ifMatch: tag });
  const save = useMutation({
    mutationFn: (sent: Source) => put(sent, conflict?.tag ?? base.tag),
    onSuccess: (newer, sent) => take(newer, sent),
    onError: async (error) => {
      if (!(error instanceof Refusal) || error.status !== 412) return;
      setConflict(await ask('GET /v1/rule-sets/{id}', { path: { id } }));
    },
  });
  useEffect(() => {
    if (!isChanged) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [isChanged]);
  return {
    ...{ source, change, isChanged, saved: base.source, save, conflict, take },
    overwrite: () => save.mutate(source),
    dismiss: () => setConflict(undefined),
  };
}

/** Problems of the rule set as it is typed, and its hits of yesterday once it has none. */
export function useTried(source: Source, saved: Source, isWriter: boolean) {
  const settled = useSettled(source);
  const check = useQuery({
    queryKey: ['rule-set-check', settled],
    queryFn: ({ signal }) => ask('POST /v1/rule-sets/check', { body: bodyOf(settled) }, signal),
    enabled: isWriter,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return {
    // The API refuses to save a source with problems.
    problems: settled === saved ? [] : (check.data?.problems ?? []),
    yesterday: check.data?.yesterday ?? undefined,
    isChecking: settled !== source || check.isFetching,
  };
}
