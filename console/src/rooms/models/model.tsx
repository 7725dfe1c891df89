/** A model: what it is made of, where it is in force, and who decided that. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Me, ModelDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { count, person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Badge, Facts, Id, Raw, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { ModelCard } from './card.tsx';
import { MODEL_LEVELS, Places } from './models.tsx';
import { Rollout } from './rollout.tsx';
import { Shadow } from './shadow.tsx';
import { Watch } from './watch.tsx';

type Decided = ModelDetail['rollouts'][number];

const ROLLOUT_COLUMNS: readonly Column<Decided>[] = [
  { id: 'at', header: 'When', cell: ({ created_at }) => <Time at={created_at} /> },
  { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => corridor },
  {
    id: 'state',
    header: 'State',
    cell: ({ state, canary_percent }) => (
      <Badge level={MODEL_LEVELS[state] ?? 'unknown'}>
        {state}
        {state === 'canary' ? ` ${canary_percent} %` : ''}
      </Badge>
    ),
  },
  { id: 'cause', header: 'Cause', from: 2, cell: ({ cause }) => cause },
  {
    id: 'proposed',
    header: 'Proposed by',
    from: 2,
    cell: ({ proposed_by }) => person(proposed_by),
  },
  {
    id: 'approved',
    header: 'Approved by',
    from: 2,
    cell: ({ approved_by }) => person(approved_by ?? '–'),
  },
  { id: 'reason', header: 'Reason', from: 3, cell: ({ reason }) => reason ?? '–' },
];

export function ModelPage({ id, me }: { readonly id: string; readonly me: Me }) {
  const query = useQuery({
    queryKey: ['model', id],
    queryFn: ({ signal }) => ask('GET /v1/models/{id}', { path: { id } }, signal),
  });
  return (
    <Page
      title={id}
      aside={
        has(me, 'analyst', 'risk_officer') ? (
          <Link href={`/backtests?${new URLSearchParams({ model: id })}`}>Backtest it</Link>
        ) : undefined
      }
    >
      <Found query={query} what="the model">
        {(model) => (
          <>
            <Made model={model} />
            <Rollout model={model} me={me} />
            <ModelCard card={model.card} />
            <Shadow model={model.model} />
            <Watch model={model.model} />
            <Part title="Decisions">
              {model.rollouts.length === 0 ? (
                <Empty title="Nothing was decided about it yet" />
              ) : (
                <DataTable
                  label="Decisions"
                  columns={ROLLOUT_COLUMNS}
                  rows={model.rollouts}
                  keyOf={({ created_at, corridor, state }) => `${created_at} ${corridor} ${state}`}
                />
              )}
            </Part>
            {model.card === null ? null : <Raw name="Card" value={model.card} />}
            <Raw name="Model as JSON" value={model} />
          </>
        )}
      </Found>
    </Page>
  );
}

function Made({ model }: { readonly model: ModelDetail }) {
  const { trained } = model;
  return (
    <Facts
      rows={[
        ['Where', <Places key="where" corridors={model.corridors} />],
        ['Format', model.format],
        ['Features', `${count(model.features)}, schema ${model.feature_schema}`],
        ['Size', `${count(model.artefact_bytes)} bytes`],
        ['Golden vectors', `${count(model.golden_vectors)}, by ${model.golden_source}`],
        ['Registered', <Time key="at" at={model.created_at} />],
        ['Registered by', person(model.created_by)],
        ['Trained from', trained?.from],
        ['Trained to', trained?.to],
        ['Parent', model.parent],
        ['Hash', <Id key="hash" id={model.model_id} chars={16} />],
      ]}
    />
  );
}
