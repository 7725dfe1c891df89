/** Freezes of a corridor with the notes of their investigations, and the way to add one. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ControlRecord } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { CONTROLS } from '../../api/controls.ts';
import { person } from '../../format.ts';
import { Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty, Found, Trouble } from '../../parts/states.tsx';

const freezeOf = (corridor: string) => ({ kind: 'freeze', scope: `corridor:${corridor}` }) as const;

type InvestigationProps = { readonly corridor: string; readonly mayNote: boolean };

export function Investigation({ corridor, mayNote }: InvestigationProps) {
  const query = useQuery({
    queryKey: [...CONTROLS, 'freezes', corridor],
    queryFn: ({ signal }) =>
      ask(
        'GET /v1/controls/{kind}/{scope}/history',
        { path: freezeOf(corridor), query: {} },
        signal,
      ),
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
                <Freeze key={freeze.control_id} freeze={freeze} />
              ))}
              {mayNote && items[0]?.ended_at === null ? <AddNote corridor={corridor} /> : null}
            </>
          )
        }
      </Found>
    </Part>
  );
}

function Freeze({ freeze }: { readonly freeze: ControlRecord }) {
  const { set_at: at, set_by: by, reason, ended_at: endedAt, notes } = freeze;
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
      {endedAt === null ? null : (
        <p>
          Resumed at <Time at={endedAt} /> by {person(freeze.ended_by ?? '')}
          {freeze.end_reason === null ? '' : `: ${freeze.end_reason}`}
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
      ask('POST /v1/controls/{kind}/{scope}/notes', {
        path: freezeOf(corridor),
        body: { note: text },
      }),
    networkMode: 'always',
    onSuccess: () => {
      setNote('');
      return client.invalidateQueries({ queryKey: [...CONTROLS, 'freezes', corridor] });
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
