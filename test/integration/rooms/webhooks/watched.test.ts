/**
 * Goal: what rooms watch is one event of each endpoint that takes it, however often it is found. Method: sources that find the
 * same things again and again, and the deliveries in a real Postgres.
 */
import { beforeEach, expect, test } from 'vitest';
import type { WatchedEvents } from '../../../../src/core/events.ts';
import { raiseWatched } from '../../../../src/rooms/webhooks/duty.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { createWebhookRig } from '../../../support/rooms/webhooks/rig.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const URL = 'http://127.0.0.1:9/';

const rig = await openForFile(createWebhookRig());

beforeEach(() => rig.testDatabase.sql('truncate webhook_endpoints, webhook_deliveries cascade'));

/** Finds an alert of each hour. */
const SOURCES: readonly WatchedEvents[] = [
  {
    kind: 'watched',
    type: 'alert.raised',
    find: async (_, nowMs) => {
      const at = new Date(nowMs);
      const hour = at.toISOString().slice(0, 13);
      return [{ id: `alert_${hour}`, type: 'alert.raised', at, data: { alert: 'high', hour } }];
    },
  },
];
const raise = (nowMs: number) => raiseWatched(rig.database, SOURCES, nowMs);

type Row = { readonly event: string; readonly payload: string; readonly decisions: number | null };
const deliveriesTo = async (endpoint: string) =>
  await rig.testDatabase.sql<Row>(
    'select event_id as event, payload, decisions from webhook_deliveries where endpoint_id = $1 order by 1',
    [endpoint],
  );
const eventsOf = async (endpoint: string) =>
  (await deliveriesTo(endpoint)).map(({ event }) => event);

test('an event that is found again is delivered once, also to an endpoint that is made later', async () => {
  const { webhook_id: alerts } = await rig.webhooks.make(URL, { event_types: ['alert.raised'] });
  const counts: number[] = [];
  for (const atMs of [NOW, NOW + 60_000, NOW + 3_600_000]) counts.push(await raise(atMs));
  expect(counts).toEqual([1, 0, 1]);
  expect(await eventsOf(alerts)).toEqual(['alert_2026-11-20T12', 'alert_2026-11-20T13']);
  const { webhook_id: later } = await rig.webhooks.make(URL, { event_types: ['alert.raised'] });
  expect(await raise(NOW + 3_600_000)).toBe(1);
  expect(await eventsOf(later)).toEqual(['alert_2026-11-20T13']);
  const [first] = await deliveriesTo(alerts);
  expect(first?.decisions).toBeNull();
  expect(JSON.parse(first?.payload ?? '')).toEqual({
    ...{ type: 'alert.raised', timestamp: '2026-11-20T12:00:00.000Z' },
    data: { alert: 'high', hour: '2026-11-20T12' },
  });
});
