/** Filters that the address holds: those in sight, and those in a fold. */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useId, useState, useSyncExternalStore } from 'react';
import type { ReasonCode } from '../../../src/kit/client/api-types.ts';
import { ask } from '../api/ask.ts';
import { words } from '../format.ts';
import {
  instantMs,
  LOCAL_EXAMPLE,
  readLocal,
  sayLocal,
  showLocal,
  timeLabel,
} from './local-time.ts';

export type Filter = {
  /** The parameter of the API. */
  readonly name: string;
  readonly label: string;
  /** The address holds a time as an instant in UTC; people read and type it in their zone. */
  readonly kind: 'text' | 'number' | 'time' | 'choice';
  readonly choices?: readonly string[] | 'corridors' | 'reasons';
  /** Words for choices that are codes. */
  readonly names?: Readonly<Record<string, string>>;
  readonly placeholder?: string;
  /** The value of what was typed, where people may type it in other ways. */
  readonly read?: (typed: string) => string;
  /** `/` moves here. */
  readonly isFirst?: boolean;
};

export type AddressProps = {
  readonly search: URLSearchParams;
  readonly onChange: (
    change: (before: URLSearchParams) => URLSearchParams,
    options?: { replace?: boolean },
  ) => void;
};

/** Sets a parameter of the address, or takes it away where the value is empty. */
export const withParameter = (name: string, value: string) => (before: URLSearchParams) => {
  const next = new URLSearchParams(before);
  if (value === '') next.delete(name);
  else next.set(name, value);
  return next;
};

/** Says which time of the address is none, or which range can hold nothing, by the labels of the fields. */
export function troubleOfTimes(
  search: URLSearchParams,
  filters: readonly Filter[],
): string | undefined {
  const times = filters.filter(({ name, kind }) => kind === 'time' && search.get(name));
  const textOf = (name: string) => search.get(name) ?? '';
  for (const { name, label } of times) {
    if (!Number.isNaN(instantMs(textOf(name)))) continue;
    return `${label} takes a day or a time in your zone, as ${LOCAL_EXAMPLE}, and not “${textOf(name)}”.`;
  }
  for (const { name, label } of times) {
    const until = times.find((other) => other.name === name.replace(/from$/, 'to'));
    if (until === undefined || until.name === name) continue;
    if (instantMs(textOf(name)) < instantMs(textOf(until.name))) continue;
    const [first, last] = [name, until.name].map((bound) => sayLocal(showLocal(textOf(bound))));
    return `${label}, ${first}, must lie before ${until.label}, ${last}.`;
  }
  return undefined;
}

type FilterFieldsProps = AddressProps & {
  readonly often: readonly Filter[];
  readonly seldom: readonly Filter[];
  readonly className?: string;
  /** So many are in sight on a narrow page, which begins with what is found; absent: as many as on a wide one. */
  readonly narrow?: number;
  /** Beside the button of the fold. */
  readonly children?: ReactNode;
};

export function FilterFields(props: FilterFieldsProps) {
  const { often, seldom, className = '', narrow = often.length, children, ...address } = props;
  const { search, onChange } = address;
  const isNarrow = useNarrow();
  const inSight = isNarrow ? narrow : often.length;
  const folded = [...often.slice(inSight), ...seldom];
  const countOf = (filters: readonly Filter[]) =>
    filters.filter(({ name }) => search.has(name)).length;
  // A fold stays as it was left, also where its last filter is taken away.
  const [isOpen, setOpen] = useState(() => !isNarrow && countOf(folded) > 0);
  const fieldOf = (filter: Filter) => (
    <Field
      key={filter.name}
      filter={filter}
      value={search.get(filter.name) ?? ''}
      onSet={(value) => onChange(withParameter(filter.name, value), { replace: true })}
    />
  );
  const clear = () =>
    onChange((before) => {
      const next = new URLSearchParams(before);
      for (const { name } of [...often, ...seldom]) next.delete(name);
      return next;
    });
  return (
    <search className={`filters ${className}`.trim()}>
      {often.slice(0, inSight).map(fieldOf)}
      {isOpen ? folded.map(fieldOf) : null}
      <div className="row filter-bar">
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          More filters{countOf(folded) > 0 && !isOpen ? ` (${countOf(folded)} active)` : ''}
        </button>
        {children}
        {countOf([...often, ...seldom]) > 0 ? (
          <button type="button" onClick={clear}>
            Clear
          </button>
        ) : null}
        <span className="muted small">
          A choice applies at once, and a text when you press Enter. Rows match all filters.
        </span>
      </div>
    </search>
  );
}

const NARROW = matchMedia('(max-width: 700px)');

function useNarrow(): boolean {
  return useSyncExternalStore(
    (onChange) => {
      NARROW.addEventListener('change', onChange);
      return () => NARROW.removeEventListener('change', onChange);
    },
    () => NARROW.matches,
  );
}

type FieldProps = {
  readonly filter: Filter;
  readonly value: string;
  readonly onSet: (value: string) => void;
};

function Field({ filter, value, onSet }: FieldProps) {
  const id = useId();
  const { label, kind, placeholder, isFirst, read = (typed: string) => typed } = filter;
  const isTime = kind === 'time';
  const shown = isTime ? showLocal(value) : value;
  const [draft, setDraft] = useState({ of: value, text: shown });
  // A value that something else has set, such as Clear, replaces the draft.
  const text = draft.of === value ? draft.text : shown;
  const sent = isTime ? sayLocal(text) : '';
  const set = (text: string) => {
    const typed = text.trim();
    if (typed !== shown) onSet(isTime ? readLocal(typed) : read(typed));
  };
  return (
    <div className={value === '' ? 'field' : 'field active'}>
      <label htmlFor={id}>{isTime ? timeLabel(label, text) : label}</label>
      {kind === 'choice' ? (
        <Choice id={id} filter={filter} value={value} onSet={onSet} />
      ) : (
        <input
          key={value}
          id={id}
          inputMode={kind === 'number' ? 'decimal' : undefined}
          defaultValue={shown}
          placeholder={isTime ? LOCAL_EXAMPLE : placeholder}
          data-search={isFirst ? '' : undefined}
          spellCheck={false}
          aria-describedby={sent === '' ? undefined : `${id}-sent`}
          onChange={({ target }) => setDraft({ of: value, text: target.value })}
          onBlur={({ target }) => set(target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') set(event.currentTarget.value);
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
      )}
      {sent === '' ? null : (
        <span id={`${id}-sent`} className="muted small">
          {sent}
        </span>
      )}
    </div>
  );
}

function Choice({
  id,
  filter: { choices = [], names = {} },
  value,
  onSet,
}: FieldProps & { readonly id: string }) {
  const reasons = useReasons(choices === 'reasons');
  const corridors = useCorridors(choices === 'corridors');
  const listed = typeof choices === 'string' ? corridors : choices;
  const isListed = listed.includes(value) || reasons.some(({ code }) => code === value);
  const groups = Map.groupBy(reasons, ({ origin }) => origin);
  return (
    <select id={id} value={value} onChange={({ target }) => onSet(target.value)}>
      <option value="">any</option>
      {value === '' || isListed ? null : <option value={value}>{value}</option>}
      {listed.map((choice) => (
        <option key={choice} value={choice}>
          {names[choice] ?? choice}
        </option>
      ))}
      {[...groups].map(([origin, of]) => (
        <optgroup key={origin} label={origin === 'rule' ? 'Rules' : 'Model'}>
          {of.map(({ code }) => (
            <option key={code} value={code}>
              {words(code)}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}

/** Corridors change with settings, not while somebody searches. */
function useCorridors(isWanted: boolean): readonly string[] {
  const { data = [] } = useQuery({
    queryKey: ['choices', 'corridors'],
    queryFn: async ({ signal }) =>
      (await ask('GET /v1/corridors', {}, signal)).items.map(({ corridor }) => corridor),
    enabled: isWanted,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data;
}

/** Reasons change with rule sets, not while somebody searches. Reasons of models are listed only where a model decides. */
function useReasons(isWanted: boolean): readonly ReasonCode[] {
  const { data = [] } = useQuery({
    queryKey: ['reason-codes'],
    queryFn: async ({ signal }) => {
      const [codes, models] = await Promise.all([
        ask('GET /v1/reason-codes', {}, signal),
        ask('GET /v1/models', {}, signal),
      ]);
      const isDeciding = models.items.some(({ corridors }) =>
        corridors.some(({ state }) => state === 'active' || state === 'canary'),
      );
      return codes.items.filter(({ origin }) => origin === 'rule' || isDeciding);
    },
    enabled: isWanted,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data;
}
