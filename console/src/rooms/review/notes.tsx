/** Notes of a case. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import type { ReviewCaseDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { person } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { caseKey } from './cases.ts';

const NOTE_CHARS_MAX = 4000;

export function Notes({ one }: { readonly one: ReviewCaseDetail }) {
  const { transaction_id: id, notes } = one;
  const client = useQueryClient();
  const [note, setNote] = useState('');
  const fieldId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  useShortcuts({ w: () => field.current?.focus() });
  const write = useMutation({
    mutationFn: (text: string) =>
      ask('POST /v1/reviews/{id}/notes', { path: { id }, body: { note: text } }),
    onSuccess: () => setNote(''),
    onSettled: () => client.invalidateQueries({ queryKey: caseKey(id) }),
  });
  const text = note.trim();
  return (
    <Part title="Notes">
      {notes.length === 0 ? null : (
        <ul className="notes">
          {notes.map((row) => (
            <li key={row.note_id}>
              <span className="muted small">
                {person(row.written_by)}, <Time at={row.written_at} />
              </span>
              <p className="note">{row.note}</p>
            </li>
          ))}
        </ul>
      )}
      {write.error === null ? null : <Trouble error={write.error} />}
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (text !== '' && !write.isPending) write.mutate(text);
        }}
      >
        <label htmlFor={fieldId} className="hidden">
          Note
        </label>
        <textarea
          id={fieldId}
          ref={field}
          rows={2}
          maxLength={NOTE_CHARS_MAX}
          placeholder="Write a note"
          value={note}
          onChange={({ target }) => setNote(target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
        <div className="row">
          <button type="submit" disabled={text === '' || write.isPending}>
            Add note <kbd>w</kbd>
          </button>
        </div>
      </form>
    </Part>
  );
}
