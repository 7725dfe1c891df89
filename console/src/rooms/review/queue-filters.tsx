/** Filters of the queue: a tab for each priority with what waits there, and the others as fields. */
import type { Operations, ReviewCase, ReviewStatus } from '../../../../src/kit/client/api-types.ts';
import { count } from '../../format.ts';
import {
  type AddressProps,
  type Filter,
  FilterFields,
  withParameter,
} from '../../parts/filter-fields.tsx';
import { PRIORITIES, STATE_NAMES, usePriorityName } from './marks.tsx';

type Priority = ReviewCase['priority'];
type Parameters = NonNullable<Operations['GET /v1/reviews']['call']['query']>;

const STATES: readonly ReviewCase['state'][] = [
  ...(['open', 'claimed', 'confirming', 'decided', 'closed'] as const),
];

const OFTEN: readonly Filter[] = [
  { name: 'state', label: 'State', kind: 'choice', choices: STATES, names: STATE_NAMES },
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

export function QueueFilters(address: AddressProps) {
  return <FilterFields often={OFTEN} seldom={SELDOM} className="queue-filters" {...address} />;
}

type TabsProps = AddressProps & { readonly status: ReviewStatus | undefined };

export function PriorityTabs({ search, onChange, status }: TabsProps) {
  const chosen = search.get('priority') ?? '';
  return (
    <fieldset className="priority-tabs" aria-label="Priority">
      {[undefined, ...PRIORITIES].map((priority) => (
        <Tab
          key={priority ?? ''}
          priority={priority}
          rows={status?.waiting.filter((row) => row.priority === (priority ?? row.priority))}
          isChosen={chosen === (priority ?? '')}
          onChoose={() => onChange(withParameter('priority', priority ?? ''))}
        />
      ))}
    </fieldset>
  );
}

type TabProps = {
  /** Undefined stands for all priorities. */
  readonly priority: Priority | undefined;
  /** Undefined until the first figures arrive. */
  readonly rows: ReviewStatus['waiting'] | undefined;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
};

function Tab({ priority, rows, isChosen, onChoose }: TabProps) {
  const name = usePriorityName(priority);
  const waiting = rows?.reduce((sum, row) => sum + row.waiting, 0);
  const late = rows?.reduce((sum, row) => sum + row.missed, 0) ?? 0;
  return (
    <button type="button" aria-pressed={isChosen} onClick={onChoose}>
      <span>{priority ?? 'All'}</span>{' '}
      <strong>{waiting === undefined ? '–' : count(waiting)}</strong>{' '}
      <span className="small muted">{priority === undefined ? 'every priority' : name}</span>{' '}
      <span className={late > 0 ? 'late small' : 'small muted'}>
        {late > 0 ? `${count(late)} late` : 'none late'}
      </span>
    </button>
  );
}
