/** Freezes of a corridor with the notes of their investigations, and the way to add one. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { FreezeRecord } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { SWITCHES } from '../../api/switches.ts';
import { person } from '../../format.ts';
import { Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty, Found, Trouble } from '../../parts/states.tsx';

type InvestigationProps = { readonly corridor: string; readonly mayNote: boolean };

export function Investigation({ corridor, mayNote }: InvestigationProps) {
  const query = useQuery({
    queryKey: [...SWITCHES, 'freezes', corridor],
    queryFn: ({ signal }) =>
      ask('GET /v1/corridors/{id}/freezes', { path: { id: corridor }, query: {} }, signal),
  });
  return (
    <Part title="Freezes">
      <Found query={query} what="freezes">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="It was never frozen" />
          ) : (
            <>
              {items.map((freeze) => (
                <Freeze key={freeze.freeze_id} freeze={freeze} />
              ))}
              {mayNote && items[0]?.resumed_at === null ? <AddNote corridor={corridor} /> : null}
            </>
          )
        }
      </Found>
    </Part>
  );
}

function Freeze({ freeze }: { readonly freeze: FreezeRecord }) {
  const { frozen_at: at, frozen_by: by, reason, resumed_at: resumedAt, notes } = freeze;
  return (
    <article>
      <p>
        Frozen at <Time at={at} /> by {person(by)}: {reason}
      </p>
      {notes.length === 0 ? null : (
        <ul className="notes" aria-label="Notes">
          {notes.map(({ at: notedAt, by: notedBy, note }) => (
            <li key={`${notedAt} ${note}`}>
              <Time at={notedAt} />, {person(notedBy)}: {note}
            </li>
          ))}
        </ul>
      )}
      {resumedAt === null ? null : (
        <p>
          Resumed at <Time at={resumedAt} /> by {person(freeze.resumed_by ?? '')}
          {freeze.resume_reason === null ? '' : `: ${freeze.resume_reason}`}
        </p>
      )}
    </article>
  );
}

function AddNote({ corridor }: { readonly corridor: string }) {
  const client = useQueryClient();
  const [note, setNote] = useState('');
  const add = useMutation({
    mutationFn: (text: string) =>
      ask('POST /v1/corridors/{id}/notes', { path: { id: corridor }, body: { note: text } }),
    networkMode: 'always',
    onSuccess: () => {
      setNote('');
      return client.invalidateQueries({ queryKey: [...SWITCHES, 'freezes', corridor] });
    },
  });
  const isReady = note.trim() !== '' && !add.isPending;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) add.mutate(note.trim());
  };
  return (
    <form className="dialog-form" onSubmit={submit}>
      <Field
        label="Note"
        value={note}
        onChange={setNote}
        hint="What the investigation has found. Nobody can change a note."
      />
      {add.error === null ? null : <Trouble error={add.error} />}
      <div className="row end">
        <button type="submit" disabled={!isReady}>
          {add.isPending ? 'Sending …' : 'Add the note'}
        </button>
      </div>
    </form>
  );
}
