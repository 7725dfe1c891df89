/** A dead letter: its error, its entry as it came, and what can be done about it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { DeadLetterWithEntry } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { Found, Trouble } from '../../parts/states.tsx';

export function Letter({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const query = useQuery({
    queryKey: ['dead-letters', 'one', id],
    queryFn: ({ signal }) => ask('GET /v1/dead-letters/{id}', { path: { id } }, signal),
  });
  return (
    <Dialog title="Dead letter" onClose={onClose}>
      <Found query={query} what="the dead letter">
        {(letter) => <LetterBody letter={letter} />}
      </Found>
    </Dialog>
  );
}

function LetterBody({ letter }: { readonly letter: DeadLetterWithEntry }) {
  const { message, dead_letter_id: id } = letter;
  const transaction = message.transaction_id;
  return (
    <>
      <p>{letter.error}</p>
      <Facts
        rows={[
          [
            'Error',
            <span key="code" className="mono">
              {letter.error_code}
            </span>,
          ],
          ['Cure', letter.cure],
          ['Corridor', letter.corridor],
          ['Failed', <Time key="failed" at={letter.failed_at} />],
          ['Attempts', String(message.retry_count)],
          [
            'Transaction',
            transaction === null ? null : (
              <Link key="transaction" href={`/transactions/${transaction}`}>
                {transaction}
              </Link>
            ),
          ],
          ['Replayed', letter.replayed_at && <Time key="replayed" at={letter.replayed_at} />],
          ['Purged', letter.purged_at && <Time key="purged" at={letter.purged_at} />],
          ['Id', <Id key="id" id={id} chars={13} />],
        ]}
      />
      <pre className="entry">{letter.entry}</pre>
      {letter.replayed_at === null && letter.purged_at === null ? <Actions id={id} /> : null}
    </>
  );
}

function Actions({ id }: { readonly id: string }) {
  const client = useQueryClient();
  const [isAsked, setAsked] = useState(false);
  const options = { onSettled: () => client.invalidateQueries({ queryKey: ['dead-letters'] }) };
  const replay = useMutation({
    mutationFn: () => ask('POST /v1/dead-letters/{id}/replay', { path: { id } }),
    ...options,
  });
  const purge = useMutation({
    mutationFn: () => ask('POST /v1/dead-letters/purge', { body: { ids: [id], limit: 1 } }),
    ...options,
  });
  const error = replay.error ?? purge.error;
  return (
    <>
      {error === null ? null : <Trouble error={error} />}
      <div className="row">
        <button
          type="button"
          className="primary"
          disabled={replay.isPending}
          onClick={() => replay.mutate()}
        >
          Replay
        </button>
        <button type="button" disabled={purge.isPending} onClick={() => setAsked(true)}>
          Purge …
        </button>
      </div>
      {isAsked ? (
        <Confirm
          title="Purge this dead letter"
          action="Purge"
          isDangerous
          onConfirm={() => purge.mutate()}
          onClose={() => setAsked(false)}
        >
          <p>Its transaction is never scored. The audit log keeps who did it.</p>
        </Confirm>
      ) : null}
    </>
  );
}
