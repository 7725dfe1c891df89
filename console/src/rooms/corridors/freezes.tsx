/** The freezes of a market: each says whether it is drained, and how it ends. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type {
  Me,
  ScopeState,
  Standing,
  Stop,
  Switches,
} from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useCorridorNames } from '../../api/corridors.ts';
import { has } from '../../api/me.ts';
import { usePolling } from '../../api/presence.ts';
import { SWITCHES } from '../../api/switches.ts';
import { count, person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Choice, Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Empty } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { nameOf as personOf } from '../review/cases.ts';
import { ChangeDialog } from './change-dialog.tsx';
import { isFreeze, nameOf, whoElseEnds } from './scopes.ts';

/** Longer: people wait for a drain that is over. Shorter: each open page counts what is pending more often. */
const ASK_EVERY_MS = 5000;
const CORRIDOR = 'freeze:corridor:';

/** The id of a frozen corridor; undefined of the market. */
const corridorOf = (scope: string) =>
  scope.startsWith(CORRIDOR) ? scope.slice(CORRIDOR.length) : undefined;

type FrozenProps = { readonly switches: Switches; readonly me: Me };

export function Frozen({ switches: { market, items }, me }: FrozenProps) {
  const [asked, setAsked] = useState<'freeze' | Stop>();
  const mayFreeze = has(me, 'operator', 'risk_officer');
  useShortcuts(mayFreeze ? { f: () => setAsked('freeze') } : {});
  const frozen = items.filter(({ scope }) => isFreeze(scope));
  const columns = [...columnsOf(market), resumeColumn(me, setAsked)];
  const button = (
    <button type="button" onClick={() => setAsked('freeze')}>
      Freeze … <kbd>f</kbd>
    </button>
  );
  return (
    <Part title="Frozen" aside={mayFreeze ? button : undefined}>
      {frozen.length === 0 ? (
        <Empty title="Nothing is frozen">
          A freeze refuses new transactions, and scores what was accepted.
        </Empty>
      ) : (
        <DataTable label="Frozen" columns={columns} rows={frozen} keyOf={({ scope }) => scope} />
      )}
      {asked === undefined ? null : (
        <FreezeDialog market={market} asked={asked} onClose={() => setAsked(undefined)} />
      )}
    </Part>
  );
}

const columnsOf = (market: string): readonly Column<Stop>[] => [
  { id: 'scope', header: 'Frozen', cell: ({ scope }) => <strong>{nameOf(scope)}</strong> },
  {
    id: 'since',
    header: 'Since, by',
    from: 2,
    cell: (one) => (
      <span className="wrap">
        <Time at={one.stopped_at} />, {person(one.stopped_by)}
      </span>
    ),
  },
  { id: 'reason', header: 'Reason', cell: (one) => <span className="wrap">{one.reason}</span> },
  {
    id: 'state',
    header: 'State',
    cell: ({ scope }) => <Drain market={market} scope={scope} />,
  },
];

const resumeColumn = (me: Me, onResume: (stop: Stop) => void): Column<Stop> => ({
  id: 'resume',
  header: 'Actions',
  cell: (stop) => {
    const others = whoElseEnds(stop, me, personOf(me));
    if (others !== undefined) return <span className="muted wrap">{others} resumes it</span>;
    return (
      <button
        type="button"
        aria-label={`Resume ${nameOf(stop.scope)}`}
        onClick={() => onResume(stop)}
      >
        Resume …
      </button>
    );
  },
});

function Drain({ market, scope }: { readonly market: string; readonly scope: string }) {
  const corridor = corridorOf(scope);
  const { data } = useQuery({
    queryKey: [...SWITCHES, 'standing', scope],
    queryFn: ({ signal }): Promise<Standing | ScopeState> =>
      corridor === undefined
        ? ask('GET /v1/markets/{id}', { path: { id: market } }, signal)
        : ask('GET /v1/corridors/{id}', { path: { id: corridor } }, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  // Everybody who sees this page reads the whole standing.
  if (data === undefined || !('pending' in data)) return <span className="muted">…</span>;
  const { state, is_drained: isDrained, pending, releases_held: isHeld } = data;
  const level = isDrained ? 'fine' : 'warning';
  return (
    <span className="wrap">
      <Badge level={level}>{isDrained ? 'drained' : `${count(pending)} pending`}</Badge>{' '}
      {state === 'stopped' ? 'Stopped: nothing drains. ' : ''}
      {isHeld ? 'Release no value.' : ''}
    </span>
  );
}

type FreezeDialogProps = {
  readonly market: string;
  /** To freeze, or the freeze to end. */
  readonly asked: 'freeze' | Stop;
  readonly onClose: () => void;
};

function FreezeDialog({ market, asked, onClose }: FreezeDialogProps) {
  const corridors = useCorridorNames();
  const [name, setName] = useState('');
  const [message, setMessage] = useState('');
  if (asked !== 'freeze') {
    const corridor = corridorOf(asked.scope);
    return (
      <ChangeDialog
        title={`Resume: ${nameOf(asked.scope)}`}
        action="Resume"
        onSend={(reason, signal) =>
          corridor === undefined
            ? ask('POST /v1/markets/{id}/resume', callOf(market, { reason }), signal)
            : ask('POST /v1/corridors/{id}/resume', callOf(corridor, { reason }), signal)
        }
        onClose={onClose}
      />
    );
  }
  const send = (reason: string, signal: AbortSignal) => {
    const body = message.trim() === '' ? { reason } : { reason, message: message.trim() };
    return name === MARKET
      ? ask('POST /v1/markets/{id}/freeze', callOf(market, body), signal)
      : ask('POST /v1/corridors/{id}/freeze', callOf(name, body), signal);
  };
  return (
    <ChangeDialog
      title="Freeze a corridor or the market"
      action="Freeze"
      isDangerous
      isBlocked={name === ''}
      more={
        <Field
          label="Message"
          value={message}
          onChange={setMessage}
          hint="What refused clients read. Empty: that the scope is frozen."
        />
      }
      onSend={send}
      onClose={onClose}
    >
      <p>New transactions are refused, accepted ones are scored. Another person resumes it.</p>
      <Choice label="What" value={name} onChange={setName}>
        <option value="">Choose one</option>
        <option value={MARKET}>The market</option>
        {corridors.map((corridor) => (
          <option key={corridor}>{corridor}</option>
        ))}
      </Choice>
    </ChangeDialog>
  );
}

/** No corridor has this name. */
const MARKET = 'market';
const callOf = <Body,>(id: string, body: Body) => ({ path: { id }, body });
