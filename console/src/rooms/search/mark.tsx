/** Says of a transaction that it was fraud, or takes that back: a label, which an analyst gives a reason. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { TransactionDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { serverMs } from '../../api/clock.ts';
import { Trouble } from '../../parts/states.tsx';
import { TEMPLATES } from '../review/dispositions.ts';
import { ReasonDialog } from '../review/reason-dialog.tsx';
import { deadline } from '../review/steps.ts';

/** As the API takes. */
const NOTE_CHARS_MAX = 500;

export function Mark({ transaction }: { readonly transaction: TransactionDetail }) {
  const { transaction_id: id, created_at: createdAt, labels } = transaction;
  // The last one is in force.
  const isFraud = labels?.items.at(-1)?.label === 'fraud';
  const label = isFraud ? 'legitimate' : 'fraud';
  const [isAsked, setAsked] = useState(false);
  /** The same label sent again has the same time, and is stored once. */
  const labelledAt = useRef<string>(undefined);
  const client = useQueryClient();
  const mark = useMutation({
    mutationFn: (note: string) => {
      // No label may be older than its transaction, whose time may lie ahead of the clock.
      labelledAt.current ??= new Date(Math.max(serverMs(), Date.parse(createdAt))).toISOString();
      const one = { transaction_id: id, label, source: 'analyst', note } as const;
      const body = { labels: [{ ...one, labelled_at: labelledAt.current }] };
      return ask('POST /v1/labels', { body }, deadline());
    },
    networkMode: 'always',
    onSuccess: () => client.invalidateQueries({ queryKey: ['transaction', id] }),
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
            It becomes a label of source analyst, which counts for later scores of the account, for
            training and for precision. This score and an open case stay as they are.
          </p>
        </ReasonDialog>
      ) : null}
    </>
  );
}
