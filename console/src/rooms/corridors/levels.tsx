/** Levels of degradation of the market and of each corridor, and the way to set them by hand. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type {
  DegradationCommand,
  DegradationLevel,
  Me,
} from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { usePolling } from '../../api/presence.ts';
import { SWITCHES } from '../../api/switches.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Choice } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Found } from '../../parts/states.tsx';
import { ChangeDialog } from './change-dialog.tsx';
import { nameOf } from './scopes.ts';
import { useStopFields } from './stop-fields.tsx';

const ASK_EVERY_MS = 5000;
const CORRIDOR = 'corridor:';

export function LevelsPart({ me }: { readonly me: Me }) {
  const query = useQuery({
    queryKey: [...SWITCHES, 'levels'],
    queryFn: ({ signal }) => ask('GET /v1/degradation', {}, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  const [asked, setAsked] = useState<DegradationLevel>();
  const mayChange = has(me, 'operator', 'risk_officer');
  return (
    <Part title="Levels of degradation">
      <Found query={query} what="levels">
        {({ items }) => (
          <DataTable
            label="Levels of degradation"
            columns={mayChange ? [...COLUMNS, setColumn(setAsked)] : COLUMNS}
            rows={items}
            keyOf={({ scope }) => scope}
          />
        )}
      </Found>
      {asked === undefined ? null : (
        <LevelDialog level={asked} onClose={() => setAsked(undefined)} />
      )}
    </Part>
  );
}

const COLUMNS: readonly Column<DegradationLevel>[] = [
  { id: 'scope', header: 'Scope', cell: ({ scope }) => <Scope scope={scope} /> },
  {
    id: 'level',
    header: 'Level',
    cell: ({ level }) => (
      <Badge level={level === 0 ? 'fine' : level === 1 ? 'warning' : 'critical'}>{level}</Badge>
    ),
  },
  {
    id: 'sentence',
    header: 'Meaning',
    cell: ({ sentence }) => <span className="wrap">{sentence}</span>,
  },
  { id: 'hand', header: 'Set by hand', from: 2, cell: ({ by_hand }) => <ByHand stop={by_hand} /> },
];

function Scope({ scope }: { readonly scope: string }) {
  if (!scope.startsWith(CORRIDOR)) return <strong>{nameOf(scope)}</strong>;
  const id = scope.slice(CORRIDOR.length);
  return <Link href={`/corridors/${encodeURIComponent(id)}`}>{id}</Link>;
}

function ByHand({ stop }: { readonly stop: DegradationLevel['by_hand'] }) {
  if (stop === null) return '–';
  return (
    <span className="wrap">
      <Time at={stop.stopped_at} />, {person(stop.stopped_by)}: {stop.reason}
      {stop.ends_at === null ? '' : ', until '}
      {stop.ends_at === null ? null : <Time at={stop.ends_at} />}
    </span>
  );
}

const setColumn = (onSet: (level: DegradationLevel) => void): Column<DegradationLevel> => ({
  id: 'set',
  header: 'Actions',
  cell: (level) => (
    <button
      type="button"
      aria-label={`Set the level: ${nameOf(level.scope)}`}
      onClick={() => onSet(level)}
    >
      Set …
    </button>
  ),
});

type LevelDialogProps = { readonly level: DegradationLevel; readonly onClose: () => void };

function LevelDialog({ level: { scope, by_hand: byHand }, onClose }: LevelDialogProps) {
  const [chosen, setChosen] = useState(byHand === null ? '3' : '0');
  const { fields, said } = useStopFields(
    'What refused clients read.',
    'Empty: when somebody sets level 0.',
  );
  const isEnd = chosen === '0';
  const send = (reason: string, signal: AbortSignal) => {
    const level = Number(chosen) as DegradationCommand['level'];
    const body = { level, reason, ...(isEnd ? {} : said()) };
    return ask('PUT /v1/degradation/{scope}', { path: { scope }, body }, signal);
  };
  return (
    <ChangeDialog
      title={`Set the level: ${nameOf(scope)}`}
      action="Set"
      isDangerous={!isEnd}
      more={isEnd ? null : fields}
      onSend={send}
      onClose={onClose}
    >
      <Choice label="Level" value={chosen} onChange={setChosen}>
        <option value="0">0: what people have set ends</option>
        <option value="3">3: new transactions are refused</option>
        {scope === 'market' ? <option value="4">4: every flag is off</option> : null}
      </Choice>
    </ChangeDialog>
  );
}
