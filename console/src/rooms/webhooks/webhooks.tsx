/** Webhooks: where events are sent, what each takes, and whether it is taken. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Me, Webhook } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { usePolling } from '../../api/presence.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { corridorsOf, takes, WebhookState } from './marks.tsx';
import { NewWebhookDialog } from './new-webhook.tsx';

const ASK_EVERY_MS = 10_000;

const COLUMNS: readonly Column<Webhook>[] = [
  {
    id: 'url',
    header: 'URL',
    cell: ({ webhook_id: id, url }) => (
      <Link href={`/webhooks/${id}`} className="clip short" title={url}>
        {url}
      </Link>
    ),
  },
  { id: 'state', header: 'State', cell: (webhook) => <WebhookState webhook={webhook} /> },
  {
    id: 'failing',
    header: 'Failing since',
    from: 2,
    cell: ({ failing_since }) => <Time at={failing_since} />,
  },
  {
    id: 'events',
    header: 'Events',
    from: 2,
    cell: (webhook) => <span className="wrap">{takes(webhook)}</span>,
  },
  {
    id: 'client',
    header: 'Client',
    from: 2,
    cell: ({ client }) => (client === null ? 'all' : <span className="clip short">{client}</span>),
  },
  {
    id: 'corridors',
    header: 'Corridors',
    from: 3,
    cell: (webhook) => <span className="clip short">{corridorsOf(webhook)}</span>,
  },
  { id: 'made', header: 'Made', from: 3, cell: ({ created_at }) => <Time at={created_at} /> },
];

export function WebhooksPage({ me }: { readonly me: Me }) {
  const mayMake = has(me, 'admin');
  const [isMaking, setMaking] = useState(false);
  const query = useQuery({
    queryKey: ['webhooks', 'list'],
    queryFn: ({ signal }) => ask('GET /v1/webhooks', {}, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  return (
    <Page
      title="Webhooks"
      aside={
        mayMake ? (
          <button type="button" onClick={() => setMaking(true)}>
            Make a webhook
          </button>
        ) : undefined
      }
    >
      {isMaking ? <NewWebhookDialog onClose={() => setMaking(false)} /> : null}
      <Found query={query} what="webhooks">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No webhook is made yet">
              A webhook posts decisions, near deadlines and alerts to another system.
              {mayMake ? '' : ' An admin makes them.'}
            </Empty>
          ) : (
            <DataTable
              label="Webhooks"
              columns={COLUMNS}
              rows={items}
              keyOf={({ webhook_id }) => webhook_id}
            />
          )
        }
      </Found>
    </Page>
  );
}
