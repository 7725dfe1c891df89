/** The deliveries to a webhook, newest first, and what became of each. The address has the state that is shown. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Webhook, WebhookDelivery } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { usePolling } from '../../api/presence.ts';
import { count } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Segments } from '../../parts/field.tsx';
import { withParameter } from '../../parts/filter-fields.tsx';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty, Found, Trouble } from '../../parts/states.tsx';
import { Delivery } from './delivery.tsx';
import { answerOf, DeliveryState } from './marks.tsx';
import { useRedeliver } from './use-redeliver.ts';

const PAGE_ROWS = 100;
const ASK_EVERY_MS = 5000;

const STATES = [
  ['', 'All'],
  ['waiting', 'Waiting'],
  ['delivered', 'Delivered'],
  ['dead', 'Dead'],
] as const;
type State = (typeof STATES)[number][0];

const stateOf = (search: URLSearchParams): State =>
  STATES.find(([name]) => name === search.get('state'))?.[0] ?? '';

function useDeliveries(id: string, state: State) {
  return useInfiniteQuery({
    queryKey: ['webhooks', 'deliveries', id, state],
    queryFn: ({ pageParam, signal }) =>
      ask(
        'GET /v1/webhooks/{id}/deliveries',
        {
          path: { id },
          query: { state: state === '' ? undefined : state, limit: PAGE_ROWS, cursor: pageParam },
        },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
}

export function Deliveries({ webhook }: { readonly webhook: Webhook }) {
  const [search, setSearch] = useSearchParams();
  const state = stateOf(search);
  const query = useDeliveries(webhook.webhook_id, state);
  const redeliver = useRedeliver(webhook.webhook_id);
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  const [opened, setOpened] = useState<WebhookDelivery>();
  return (
    <Part
      title="Deliveries"
      aside={
        <Segments
          {...{ label: 'State', choices: STATES, chosen: state }}
          onChoose={(name) => setSearch(withParameter('state', name))}
        />
      }
    >
      {redeliver.error === null ? null : <Trouble error={redeliver.error} />}
      <Found query={query} what="deliveries">
        {() =>
          rows.length > 0 ? (
            <DataTable
              label="Deliveries"
              columns={columnsOf(
                setOpened,
                webhook.state === 'disabled' ? undefined : (one) => redeliver.mutate(one),
              )}
              rows={rows}
              keyOf={({ delivery_id }) => delivery_id}
              more={query}
            />
          ) : state === '' ? (
            <Empty title="Nothing was sent yet">
              An event appears here as soon as it arises, and a test event shows whether it arrives.
            </Empty>
          ) : (
            <Empty title={`No delivery is ${state}`} />
          )
        }
      </Found>
      {opened === undefined ? null : (
        <Delivery
          webhook={webhook}
          // As the list has it by now; it may have left the list, of another state.
          delivery={rows.find((one) => one.delivery_id === opened.delivery_id) ?? opened}
          onChange={setOpened}
          onClose={() => setOpened(undefined)}
        />
      )}
    </Part>
  );
}

type Act = (delivery: WebhookDelivery) => void;

function columnsOf(onOpen: Act, onRedeliver: Act | undefined): readonly Column<WebhookDelivery>[] {
  return [
    {
      id: 'event',
      header: 'Event',
      cell: (one) => (
        <button type="button" className="link" onClick={() => onOpen(one)}>
          <EventType type={one.event_type} />
        </button>
      ),
    },
    { id: 'state', header: 'State', cell: (one) => <DeliveryState delivery={one} /> },
    {
      ...{ id: 'attempts', header: 'Attempts', numeric: true, from: 2 },
      cell: ({ attempts }) => count(attempts),
    },
    {
      id: 'answer',
      header: 'Last answer',
      from: 2,
      cell: (one) => <span className="clip short">{answerOf(one)}</span>,
    },
    { id: 'last', header: 'Last attempt', cell: ({ last_at }) => <Time at={last_at} /> },
    {
      id: 'next',
      header: 'Next attempt',
      from: 2,
      cell: ({ state, next_at }) => <Time at={state === 'waiting' ? next_at : null} />,
    },
    { id: 'arose', header: 'Arose', from: 3, cell: ({ created_at }) => <Time at={created_at} /> },
    {
      ...{ id: 'redeliver', header: 'Actions', from: 2 },
      cell: (one) =>
        one.state === 'dead' && onRedeliver !== undefined ? (
          <button
            type="button"
            aria-label={`Redeliver ${one.event_id}`}
            onClick={() => onRedeliver(one)}
          >
            Redeliver
          </button>
        ) : (
          '–'
        ),
    },
  ];
}

/** `transaction.decided`; `decided` where there is little room. */
function EventType({ type }: { readonly type: WebhookDelivery['event_type'] }) {
  const start = type.indexOf('.') + 1;
  return (
    <>
      <span className="from-2">{type.slice(0, start)}</span>
      {type.slice(start)}
    </>
  );
}
