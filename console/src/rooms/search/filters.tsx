/** The filters of the search, one entry each. */
import { type AddressProps, type Filter, FilterFields } from '../../parts/filter-fields.tsx';
import { hoursAgo, startOfToday } from '../../parts/local-time.ts';
import { SavedFilters } from './saved-filters.tsx';

const OFTEN: readonly Filter[] = [
  { name: 'account_id', label: 'Account', kind: 'text', placeholder: 'acc_17', isFirst: true },
  { name: 'merchant_id', label: 'Merchant', kind: 'text', placeholder: 'm_9' },
  { name: 'corridor', label: 'Corridor', kind: 'choice', choices: 'corridors' },
  {
    ...{ name: 'verdict', label: 'Verdict', kind: 'choice' },
    choices: ['approve', 'review', 'decline'],
  },
  { name: 'min_score', label: 'Score from', kind: 'number', placeholder: '0 to 1000' },
  { name: 'reason', label: 'Reason', kind: 'choice', choices: 'reasons' },
  { name: 'from', label: 'From', kind: 'time' },
  { name: 'to', label: 'Until', kind: 'time' },
];

/** Tables show amounts with thousands. */
const readAmount = (typed: string) => typed.replaceAll(/[,\s]/g, '');
const AMOUNT = { kind: 'number', placeholder: 'with a currency', read: readAmount } as const;

const SELDOM: readonly Filter[] = [
  { name: 'device_id', label: 'Device', kind: 'text', placeholder: 'device-4f2a' },
  { name: 'ip', label: 'Address', kind: 'text', placeholder: '203.0.113.7' },
  {
    ...{ name: 'currency', label: 'Currency', kind: 'text', placeholder: 'USD' },
    read: (typed) => typed.toUpperCase(),
  },
  { name: 'min_amount', label: 'Amount from', ...AMOUNT },
  { name: 'max_amount', label: 'Amount up to', ...AMOUNT },
  { name: 'max_score', label: 'Score up to', kind: 'number', placeholder: '0 to 1000' },
  {
    ...{ name: 'label', label: 'Label', kind: 'choice' },
    choices: ['fraud', 'legitimate', 'none'],
  },
  {
    ...{ name: 'status', label: 'Status', kind: 'choice' },
    choices: ['accepted', 'scored', 'dead_lettered'],
  },
  { name: 'rule_set', label: 'Rule set', kind: 'text', placeholder: 'default@3' },
  { name: 'model', label: 'Model', kind: 'text', placeholder: 'fraud@3, or none' },
  { name: 'received_from', label: 'Received from', kind: 'time' },
  { name: 'received_to', label: 'Received until', kind: 'time' },
  { name: 'scored_from', label: 'Scored from', kind: 'time' },
  { name: 'scored_to', label: 'Scored until', kind: 'time' },
];

export const FILTERS = [...OFTEN, ...SELDOM];

/** Parameters of the search by name. */
export type FilterValues = Readonly<Record<string, string>>;

const AMOUNTS: readonly string[] = ['min_amount', 'max_amount'];

/** Whether an amount waits for its currency: amounts compare within one currency alone. */
export const lacksCurrency = (search: URLSearchParams) =>
  !search.get('currency') && AMOUNTS.some((name) => search.get(name));

/** The filters that the address holds; amounts apply together with a currency. */
export function activeFilters(search: URLSearchParams): FilterValues {
  const barred = lacksCurrency(search) ? AMOUNTS : [];
  const given = FILTERS.map(({ name }) => [name, search.get(name) ?? ''] as const);
  return Object.fromEntries(
    given.filter(([name, value]) => value !== '' && !barred.includes(name)),
  );
}

const PRESETS = [
  ['Today', startOfToday],
  ['24 h', () => hoursAgo(24)],
  ['7 d', () => hoursAgo(7 * 24)],
  ['28 d', () => hoursAgo(28 * 24)],
] as const;

/** Presets write an instant into the address, so that the same rows are found later and in other zones. */
function Presets({ onChange }: Pick<AddressProps, 'onChange'>) {
  const choose = (from: string) =>
    onChange((before) => {
      const next = new URLSearchParams(before);
      next.set('from', from);
      next.delete('to');
      return next;
    });
  return (
    <fieldset className="segments" aria-label="Created">
      {PRESETS.map(([name, from]) => (
        <button key={name} type="button" onClick={() => choose(from())}>
          {name}
        </button>
      ))}
    </fieldset>
  );
}

export function Filters(address: AddressProps) {
  const { search, onChange } = address;
  const choose = (query: string) => onChange(() => new URLSearchParams(query));
  return (
    <FilterFields often={OFTEN} seldom={SELDOM} narrow={1} {...address}>
      <Presets onChange={onChange} />
      <SavedFilters search={search} onChoose={choose} />
    </FilterFields>
  );
}
