/** From a transaction to its case, or the way to open one by hand. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { ask, deadline } from '../../api/ask.ts';
import { followUp } from '../../api/follow-up.ts';
import { ReasonDialog } from '../../parts/reason-dialog.tsx';
import { Trouble } from '../../parts/states.tsx';
import { caseKey, useCase } from './cases.ts';
import { PriorityMark, StateMark } from './marks.tsx';

export function CaseLink({ id }: { readonly id: string }) {
  const { data } = useCase(id);
  const [isAsked, setAsked] = useState(false);
  const client = useQueryClient();
  const [, go] = useLocation();
  const open = useMutation({
    mutationFn: (note: string) =>
      ask('POST /v1/reviews', { body: { transaction_id: id, note } }, deadline()),
    networkMode: 'always',
    onMutate: followUp,
    onSuccess: (_opened, _note, mayMove) => {
      void client.invalidateQueries({ queryKey: caseKey(id) });
      if (mayMove()) go(`/review/${id}`);
    },
  });
  if (data === undefined) return null;
  if (data !== null) {
    return (
      <Link href={`/review/${id}`} className="row">
        Case <PriorityMark priority={data.priority} /> <StateMark one={data} />
      </Link>
    );
  }
  return (
    <>
      {open.error === null || isAsked ? null : <Trouble error={open.error} />}
      <button type="button" disabled={open.isPending} onClick={() => setAsked(true)}>
        Open a case …
      </button>
      {isAsked ? (
        <ReasonDialog
          title="Open a case by hand"
          action="Open it"
          onSend={open.mutateAsync}
          onClose={() => setAsked(false)}
        />
      ) : null}
    </>
  );
}
