/** Puts a party on a block list of the market, by one key. It first says which lists have the party already. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { FoundListEntry } from '../../../../src/kit/client/api-types.ts';
import { ask, deadline } from '../../api/ask.ts';
import { serverMs } from '../../api/server-time.ts';
import { person } from '../../format.ts';
import { Choice } from '../../parts/field.tsx';
import { ReasonDialog } from '../../parts/reason-dialog.tsx';
import { Time } from '../../parts/show.tsx';
import { Found, Trouble } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { entryHref, LISTS, useIsAsked, useLists } from './lists.ts';

export type Party = {
  readonly kind: 'account' | 'merchant' | 'device' | 'address';
  readonly value: string;
};

type OfTransaction = {
  readonly account_id: string;
  readonly merchant_id: string;
  readonly device_id: string | null;
  readonly ip?: string | null;
};

/** The first is chosen until somebody chooses another. */
export type Parties = readonly [Party, ...Party[]];

/** The parties of a transaction that lists can have. */
export const partiesOf = ({
  account_id,
  merchant_id,
  device_id,
  ip = null,
}: OfTransaction): Parties => [
  { kind: 'account', value: account_id },
  { kind: 'merchant', value: merchant_id },
  ...(device_id === null ? [] : [{ kind: 'device', value: device_id } as const]),
  ...(ip === null ? [] : [{ kind: 'address', value: ip } as const]),
];

type Wanted = Party & {
  readonly list: string;
  /** Nobody has made the list yet. */
  readonly isNew: boolean;
  readonly reason: string;
  readonly expires_at: string | undefined;
};

/** Makes the list where nobody has, and adds the party. The same two requests change nothing when they come again. */
async function put({ list: name, isNew, kind, value, reason, expires_at }: Wanted) {
  if (isNew) {
    const made = { name, effect: 'block', kind, description: `Blocked: ${kind}.` } as const;
    await ask('POST /v1/lists', { body: made }, deadline());
  }
  const body = { value, reason, expires_at };
  await ask('POST /v1/lists/{name}/entries', { path: { name }, body }, deadline());
  return { list: name, value };
}

export function Block({ parties }: { readonly parties: Parties }) {
  const [isAsked, setAsked] = useState(false);
  const client = useQueryClient();
  const block = useMutation({
    mutationFn: put,
    networkMode: 'always',
    onSettled: () => client.invalidateQueries({ queryKey: [LISTS] }),
  });
  const open = () => {
    block.reset();
    setAsked(true);
  };
  useShortcuts({ b: open });
  return (
    <>
      <button type="button" onClick={open}>
        Block … <kbd>b</kbd>
      </button>
      {block.data === undefined ? null : (
        <output className="notice">
          {block.data.value} is on {block.data.list}.{' '}
          <Link href={entryHref(block.data)}>Show the entry</Link>
        </output>
      )}
      {block.error === null || isAsked ? null : <Trouble error={block.error} />}
      {isAsked ? (
        <BlockDialog parties={parties} onSend={block.mutateAsync} onClose={() => setAsked(false)} />
      ) : null}
    </>
  );
}

const DAY_MS = 86_400_000;
const ENDS = [
  ['', 'without an end'],
  ['1', 'for a day'],
  ['7', 'for 7 days'],
  ['30', 'for 30 days'],
  ['90', 'for 90 days'],
] as const;
/** The limit of the API. */
const REASON_CHARS_MAX = 500;
const SHARED = 'shared-';
const PLURALS = {
  account: 'accounts',
  merchant: 'merchants',
  device: 'devices',
  address: 'addresses',
} as const;

type BlockDialogProps = {
  readonly parties: Parties;
  readonly onSend: (wanted: Wanted) => Promise<unknown>;
  readonly onClose: () => void;
};

function BlockDialog({ parties, onSend, onClose }: BlockDialogProps) {
  const [at, setAt] = useState(0);
  const [chosen, setChosen] = useState('');
  const [days, setDays] = useState('');
  // A request that is sent again has the same expiry, and then changes nothing.
  const [openedMs] = useState(serverMs);
  const party = parties[at] ?? parties[0];
  const lists = useLists();
  const known = useQuery({
    queryKey: [LISTS, 'lookup', party],
    queryFn: ({ signal }) => ask('GET /v1/lists/lookup', { query: party }, signal),
    staleTime: 0,
  });
  const { kind, value } = party;
  const fitting = (lists.data?.items ?? []).filter(
    (one) => one.effect === 'block' && one.kind === kind && !one.name.startsWith(SHARED),
  );
  const list = (fitting.find(({ name }) => name === chosen) ?? fitting[0])?.name;
  const name = list ?? `blocked-${PLURALS[kind]}`;
  const isThere = known.data?.items.some((one) => one.list === name && one.value === value) ?? true;
  const send = (reason: string) => {
    const expires = days === '' ? undefined : new Date(openedMs + Number(days) * DAY_MS);
    const wanted = { ...party, list: name, isNew: list === undefined, reason };
    return onSend({ ...wanted, expires_at: expires?.toISOString() });
  };
  return (
    <ReasonDialog
      title={parties.length === 1 ? `Block the ${kind} ${value}` : 'Block a party'}
      action="Block"
      isDangerous
      isBlocked={lists.data === undefined || isThere}
      charsMax={REASON_CHARS_MAX}
      onSend={send}
      onClose={onClose}
    >
      <div className="filters">
        {parties.length === 1 ? null : (
          <Choice label="Whom" value={String(at)} onChange={(next) => setAt(Number(next))}>
            {parties.map((one, nth) => (
              <option key={one.kind} value={nth}>
                {one.kind} {one.value}
              </option>
            ))}
          </Choice>
        )}
        <Choice label="On the list" value={name} onChange={setChosen}>
          {(list === undefined ? [name] : fitting.map((one) => one.name)).map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Choice>
        <Choice label="How long" value={days} onChange={setDays}>
          {ENDS.map(([length, words]) => (
            <option key={length} value={length}>
              {words}
            </option>
          ))}
        </Choice>
      </div>
      <Found query={lists} what="lists">
        {() => (
          <p className="muted small">
            {list === undefined ? `No list blocks ${PLURALS[kind]} yet: this makes ${name}. ` : ''}
            <Effect list={name} />
          </p>
        )}
      </Found>
      <Found query={known} what="what lists have of it">
        {({ items }) => <Known entries={items} list={name} />}
      </Found>
    </ReasonDialog>
  );
}

/** A list acts by rules alone, so people hear of a list that none asks. */
function Effect({ list }: { readonly list: string }) {
  const isAsked = useIsAsked(list);
  if (isAsked === undefined) return null;
  return isAsked
    ? 'Workers follow within 1.5 seconds.'
    : `No rule in force asks in_list("${list}"), so the entry stops nothing until one does.`;
}

type KnownProps = {
  readonly entries: readonly FoundListEntry[];
  /** The list that is chosen. */
  readonly list: string;
};

/** Entries in force of the party. */
function Known({ entries, list }: KnownProps) {
  if (entries.length === 0) return <p className="muted small">No list has it.</p>;
  return (
    <ul className="listed">
      {entries.map((one) => (
        <li key={`${one.list} ${one.entry_id}`}>
          <Link href={entryHref(one)}>{one.list}</Link> ({one.effect}) has {one.value} since{' '}
          <Time at={one.valid_from} />, by {person(one.added_by)}: <q>{one.reason}</q>
          {one.expires_at === null ? null : (
            <>
              , until <Time at={one.expires_at} />
            </>
          )}
          {one.list === list ? '. Another reason or expiry takes the end of this entry.' : '.'}
        </li>
      ))}
    </ul>
  );
}
