/** Notes and attached files of a case. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import type { ReviewCaseDetail, StoredCaseNote } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { person, short } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { caseKey } from './cases.ts';
import { FileRefused, readFile, saveFile } from './files.ts';

const NOTE_CHARS_MAX = 4000;

export function Notes({ one }: { readonly one: ReviewCaseDetail }) {
  const { transaction_id: id, notes } = one;
  const client = useQueryClient();
  const [note, setNote] = useState('');
  const fieldId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  useShortcuts({ w: () => field.current?.focus() });
  const onSettled = () => client.invalidateQueries({ queryKey: caseKey(id) });
  const write = useMutation({
    mutationFn: (text: string) =>
      ask('POST /v1/reviews/{id}/notes', { path: { id }, body: { note: text } }),
    onSuccess: () => setNote(''),
    onSettled,
  });
  const attach = useMutation({
    mutationFn: async (file: File) =>
      ask('POST /v1/reviews/{id}/files', { path: { id }, body: await readFile(file) }),
    onSettled,
  });
  const text = note.trim();
  const error = write.error ?? attach.error;
  return (
    <Part title="Notes and files">
      {notes.length === 0 ? null : (
        <ul className="notes">
          {notes.map((row) => (
            <Note key={row.note_id} id={id} note={row} />
          ))}
        </ul>
      )}
      {error === null ? null : error instanceof FileRefused ? (
        <p className="error" role="alert">
          {error.message}
        </p>
      ) : (
        <Trouble error={error} />
      )}
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
          <label className="file">
            <span>{attach.isPending ? 'Attaching …' : 'Attach a file'}</span>
            <input
              type="file"
              className="hidden"
              disabled={attach.isPending}
              onChange={({ target }) => {
                const [file] = target.files ?? [];
                if (file) attach.mutate(file);
                target.value = '';
              }}
            />
          </label>
        </div>
      </form>
    </Part>
  );
}

function Note({ id, note }: { readonly id: string; readonly note: StoredCaseNote }) {
  const { file_name: name, note_id: noteId } = note;
  const load = useMutation({
    mutationFn: () =>
      ask('GET /v1/reviews/{id}/files/{note_id}', { path: { id, note_id: noteId } }),
    onSuccess: saveFile,
  });
  return (
    <li>
      <span className="muted small">
        {person(note.written_by)}, <Time at={note.written_at} />
      </span>
      {name === null ? (
        <p className="note">{note.note}</p>
      ) : (
        <p className="row">
          <button type="button" className="link file-name" onClick={() => load.mutate()}>
            {name}
          </button>
          <span className="muted small">{short(note.file_bytes ?? 0)} bytes</span>
        </p>
      )}
      {load.error === null ? null : <Trouble error={load.error} />}
    </li>
  );
}
