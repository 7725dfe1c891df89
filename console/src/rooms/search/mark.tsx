/** Labels a transaction as fraud, or a fraud as legitimate, with the reason that the analyst gives. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { TransactionDetail } from '../../../../src/kit/client/api-types.ts';
import { ask, deadline } from '../../api/ask.ts';
import { serverMs } from '../../api/server-time.ts';
import { ReasonDialog } from '../../parts/reason-dialog.tsx';
import { Trouble } from '../../parts/states.tsx';
import { TEMPLATES } from '../review/dispositions.ts';

/** The limit of the API. */
const NOTE_CHARS_MAX = 500;

export function Mark({ transaction }: { readonly transaction: TransactionDetail }) {
  const { transaction_id: id, created_at: createdAt, labels } = transaction;
  // The last label is in force.
  const isFraud = labels?.items.at(-1)?.label === 'fraud';
  const label = isFraud ? 'legitimate' : 'fraud';
  const [isAsked, setAsked] = useState(false);
  /** A label that is sent again keeps its time, so that the API stores it once. */
  const labelledAt = useRef<string>(undefined);
  const client = useQueryClient();
  const mark = useMutation({
    mutationFn: (note: string) => {
      // A label may not be older than its transaction, whose time can be ahead of the clock.
      labelledAt.current ??= new Date(Math.max(serverMs(), Date.parse(createdAt))).toISOString();
      const one = { transaction_id: id, label, source: 'analyst', note } as const;
      const body = { labels: [{ ...one, labelled_at: labelledAt.current }] };
      return ask('POST /v1/labels', { body }, deadline());
    },
    networkMode: 'always',
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['transaction', id] });
    },
  });
  const close = () => {
    labelledAt.current = undefined;
    setAsked(false);
  };
  return (
    <>
      {mark.error === null || isAsked ? null : <Trouble error={mark.error} />}
      <button type="button" onClick={() => setAsked(true)}>
        Mark as {label} …
      </button>
      {isAsked ? (
        <ReasonDialog
          title={`Mark as ${label}`}
          action={`Mark as ${label}`}
          isDangerous={!isFraud}
          charsMax={NOTE_CHARS_MAX}
          templates={TEMPLATES[label]}
          onSend={mark.mutateAsync}
          onClose={close}
        >
          <p>
            The label has the source analyst and counts for later scores of the account, for
            training and for precision. This score and an open case stay as they are.
          </p>
        </ReasonDialog>
      ) : null}
    </>
  );
}
