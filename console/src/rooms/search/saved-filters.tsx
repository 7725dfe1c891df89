/** Named searches: choose one, name the present one, or forget it. */
import { type FormEvent, useState } from 'react';
import { useMe } from '../../api/me.ts';
import { NAME_CHARS_MAX, useSavedFilters } from './stored-filters.ts';

type SavedFiltersProps = {
  readonly search: URLSearchParams;
  readonly onChoose: (query: string) => void;
};

export function SavedFilters(props: SavedFiltersProps) {
  const { data: me } = useMe();
  const owner = me?.identity ?? me?.owner;
  // The hook reads what the owner has once.
  return owner === undefined ? null : <OfOwner key={owner} owner={owner} {...props} />;
}

function OfOwner({ owner, search, onChoose }: SavedFiltersProps & { readonly owner: string }) {
  const { saved, save, forget } = useSavedFilters(owner);
  const [isNaming, setNaming] = useState(false);
  const query = inOrder(search);
  const current = saved.find((one) => one.query === query);
  return (
    <>
      {saved.length === 0 ? null : (
        <select
          aria-label="Saved filters"
          value={current?.name ?? ''}
          onChange={({ target }) => {
            const chosen = saved.find(({ name }) => name === target.value);
            if (chosen !== undefined) onChoose(chosen.query);
          }}
        >
          <option value="">Saved filters</option>
          {saved.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      {query === '' || current !== undefined || isNaming ? null : (
        <button type="button" onClick={() => setNaming(true)}>
          Save filters
        </button>
      )}
      {isNaming ? (
        <NameForm
          onSave={(name) => {
            save(name, query);
            setNaming(false);
          }}
          onClose={() => setNaming(false)}
        />
      ) : null}
      {current === undefined ? null : (
        <button type="button" onClick={() => forget(current.name)}>
          Forget it
        </button>
      )}
    </>
  );
}

type NameFormProps = {
  readonly onSave: (name: string) => void;
  readonly onClose: () => void;
};

function NameForm({ onSave, onClose }: NameFormProps) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    if (name !== '') onSave(name);
  };
  return (
    <form className="row" onSubmit={submit}>
      <input
        name="name"
        aria-label="Name of these filters"
        placeholder="Name"
        maxLength={NAME_CHARS_MAX}
        required
        autoComplete="off"
        // biome-ignore lint/a11y/noAutofocus: the button that opened it was pressed to type the name
        autoFocus
        onKeyDown={({ key }) => key === 'Escape' && onClose()}
      />
      <button type="submit" className="primary">
        Save
      </button>
      <button type="button" onClick={onClose}>
        Cancel
      </button>
    </form>
  );
}

/** The same filters are the same text, in whatever order they were chosen. */
function inOrder(search: URLSearchParams): string {
  const ordered = new URLSearchParams([...search].filter(([, value]) => value !== ''));
  ordered.sort();
  return ordered.toString();
}
