/** Filters of the queue: a tab for each priority with what waits there, and the others as fields. */
import { useState } from 'react';
import type { Operations, ReviewCase, ReviewStatus } from '../../../../src/client/api-types.ts';
import { count } from '../../format.ts';
import { Field, type Filter } from '../filters.tsx';
import { PRIORITIES } from './marks.tsx';

type Priority = ReviewCase['priority'];
type Parameters = NonNullable<Operations['GET /v1/reviews']['call']['query']>;

const STATES: readonly ReviewCase['state'][] = [
  ...(['open', 'claimed', 'confirming', 'decided', 'closed'] as const),
];

const OFTEN: readonly Filter[] = [
  { name: 'state', label: 'State', kind: 'choice', choices: STATES },
  { name: 'corridor', label: 'Corridor', kind: 'choice', choices: 'corridors' },
  { name: 'with', label: 'With', kind: 'choice', choices: ['claimed by me', 'assigned to me'] },
  { name: 'account_id', label: 'Account', kind: 'text', placeholder: 'acc_17', isFirst: true },
];

const SELDOM: readonly Filter[] = [
  { name: 'merchant_id', label: 'Merchant', kind: 'text', placeholder: 'm_9' },
  { name: 'device_id', label: 'Device', kind: 'text', placeholder: 'device-4f2a' },
];

const FIELDS = [...OFTEN, ...SELDOM];

/** By the name in the address. */
export type QueueFilterValues = Readonly<Record<string, string>>;

export function activeFilters(search: URLSearchParams): QueueFilterValues {
  const names = ['priority', ...FIELDS.map(({ name }) => name)];
  const given = names.map((name) => [name, search.get(name) ?? ''] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

const priorityOf = (filters: QueueFilterValues): Priority | undefined =>
  PRIORITIES.find((name) => name === filters['priority']);

/** @param me the name of who asks */
export function toParameters(filters: QueueFilterValues, me: string): Parameters {
  const whose = filters['with'];
  return {
    priority: priorityOf(filters),
    state: STATES.find((name) => name === filters['state']),
    corridor: filters['corridor'],
    locked_by: whose === 'claimed by me' ? me : undefined,
    assignee: whose === 'assigned to me' ? me : undefined,
    account_id: filters['account_id'],
    merchant_id: filters['merchant_id'],
    device_id: filters['device_id'],
  };
}

type FiltersProps = {
  readonly search: URLSearchParams;
  readonly onChange: (
    change: (before: URLSearchParams) => URLSearchParams,
    options?: { replace?: boolean },
  ) => void;
};

/** Sets a filter of the address, or takes it away where the value is empty. */
const withFilter = (name: string, value: string) => (before: URLSearchParams) => {
  const next = new URLSearchParams(before);
  if (value === '') next.delete(name);
  else next.set(name, value);
  return next;
};

export function QueueFilters({ search, onChange }: FiltersProps) {
  // A fold stays as it was left, also where its last filter is taken away.
  const [isOpen] = useState(() => SELDOM.some(({ name }) => search.has(name)));
  const fieldOf = (filter: Filter) => (
    <Field
      key={filter.name}
      filter={filter}
      value={search.get(filter.name) ?? ''}
      onSet={(value) => onChange(withFilter(filter.name, value), { replace: true })}
    />
  );
  const clear = () =>
    onChange((before) => {
      const next = new URLSearchParams(before);
      for (const { name } of FIELDS) next.delete(name);
      return next;
    });
  return (
    <search className="filters queue-filters">
      {OFTEN.map(fieldOf)}
      <details open={isOpen}>
        <summary>More filters</summary>
        <div className="filters queue-filters">{SELDOM.map(fieldOf)}</div>
      </details>
      {FIELDS.some(({ name }) => search.has(name)) ? (
        <button type="button" onClick={clear}>
          Clear
        </button>
      ) : null}
    </search>
  );
}

type TabsProps = FiltersProps & { readonly status: ReviewStatus | undefined };

export function PriorityTabs({ search, onChange, status }: TabsProps) {
  const chosen = search.get('priority') ?? '';
  const tabs = [['', 'All'] as const, ...PRIORITIES.map((name) => [name, name] as const)];
  return (
    <fieldset className="priority-tabs" aria-label="Priority">
      {tabs.map(([value, name]) => {
        const rows = status?.waiting.filter(({ priority }) => value === '' || priority === value);
        const waiting = rows?.reduce((sum, row) => sum + row.waiting, 0);
        const late = rows?.reduce((sum, row) => sum + row.missed, 0) ?? 0;
        return (
          <button
            key={name}
            type="button"
            aria-pressed={chosen === value}
            onClick={() => onChange(withFilter('priority', value))}
          >
            <span>{name}</span> <strong>{waiting === undefined ? '–' : count(waiting)}</strong>{' '}
            <span className={late > 0 ? 'late small' : 'small muted'}>
              {late > 0 ? `${count(late)} late` : 'none late'}
            </span>
          </button>
        );
      })}
    </fieldset>
  );
}
