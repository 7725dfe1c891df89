/** A webhook: what it takes, whether it fails, what can be done about it, and its deliveries. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Me, Webhook } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { usePolling } from '../../api/presence.ts';
import { person } from '../../format.ts';
import { Page } from '../../parts/page.tsx';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { Found } from '../../parts/states.tsx';
import { Actions } from './actions.tsx';
import { Deliveries } from './deliveries.tsx';
import { corridorsOf, takes, WebhookState } from './marks.tsx';

const ASK_EVERY_MS = 5000;

export function WebhookPage({ id, me }: { readonly id: string; readonly me: Me }) {
  const query = useQuery({
    queryKey: ['webhooks', 'one', id],
    queryFn: ({ signal }) => ask('GET /v1/webhooks/{id}', { path: { id } }, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  return (
    <Page title="Webhook" aside={<Link href="/webhooks">All webhooks</Link>}>
      <Found query={query} what="the webhook">
        {(webhook) => (
          <>
            <Health webhook={webhook} />
            <Made webhook={webhook} />
            <Actions webhook={webhook} me={me} />
            <Deliveries webhook={webhook} />
          </>
        )}
      </Found>
    </Page>
  );
}

/** The trouble that keeps events from being taken. */
function Health({ webhook }: { readonly webhook: Webhook }) {
  const { state, disabled_at, disabled_reason, failing_since } = webhook;
  if (state === 'disabled') {
    return (
      <p className="notice critical">
        Disabled <Time at={disabled_at} />: {disabled_reason}. It gets no new events; what waits is
        sent once it is enabled.
      </p>
    );
  }
  if (failing_since === null) return null;
  return (
    <p className="notice warning">
      Everything that was sent since <Time at={failing_since} /> has failed. After five days of that
      it is disabled.
    </p>
  );
}

function Made({ webhook }: { readonly webhook: Webhook }) {
  const { previous_secret_until: until } = webhook;
  return (
    <Facts
      rows={[
        ['URL', <Id key="url" id={webhook.url} />],
        ['State', <WebhookState key="state" webhook={webhook} />],
        ['Events', takes(webhook)],
        ['Client', webhook.client ?? 'all'],
        ['Corridors', corridorsOf(webhook)],
        ['Made', <Time key="made" at={webhook.created_at} />],
        ['Made by', person(webhook.created_by)],
        ...(until === null
          ? []
          : [['Earlier secret signs until', <Time key="until" at={until} />] as const]),
        ['Id', <Id key="id" id={webhook.webhook_id} chars={13} />],
      ]}
    />
  );
}
