/** Goal: whatever is decided, each endpoint gets every decision that it takes, once, in lists within their bounds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VERDICTS } from '../../../../src/core/domain/score-record.ts';
import type { EventType } from '../../../../src/core/events.ts';
import { type Decision, toLists } from '../../../../src/rooms/webhooks/match-events.ts';
import { WEBHOOK_LIMITS } from '../../../../src/rooms/webhooks/webhook.ts';
import { runsOf } from '../../../support/thorough.ts';

const TYPE = 'transaction.decided';
const CLIENTS = ['shop', 'bank'] as const;
const CORRIDORS = ['US-EG', 'US-MX', 'US-IN'] as const;

const endpoint = fc.record({
  webhook_id: fc.uuid(),
  client: fc.constantFrom(null, ...CLIENTS),
  event_types: fc.constantFrom<EventType[][]>([TYPE], ['alert.raised']),
  verdicts: fc.uniqueArray(fc.constantFrom(...VERDICTS), { minLength: 1 }),
  corridors: fc.option(fc.uniqueArray(fc.constantFrom<string[]>(...CORRIDORS), { minLength: 1 })),
});

/** Some decisions are longer than an event may be, and some characters take several bytes. */
const text = fc
  .tuple(fc.constantFrom('a', 'é', '漢'), fc.constantFrom(0, 10, 300, 9000, 40_000))
  .map(([character, count]) => character.repeat(count));
const chosen = fc.record({
  client: fc.constantFrom(null, ...CLIENTS),
  corridor: fc.constantFrom(...CORRIDORS),
  verdict: fc.constantFrom(...VERDICTS),
  atMs: fc.integer({ min: 0, max: 2_000_000_000_000 }),
  text,
});
const decisions = fc
  .array(chosen, { maxLength: 260, size: 'max' })
  .map((all) =>
    all.map(({ text, ...one }, nth): Decision => ({ ...one, json: JSON.stringify({ nth, text }) })),
  );

test('an endpoint gets each decision that it takes, in order, and no other', () => {
  fc.assert(
    fc.property(fc.array(endpoint, { maxLength: 4 }), decisions, (endpoints, decided) => {
      const lists = [...toLists(endpoints, TYPE, decided)];
      expect(new Set(lists.map(({ eventId }) => eventId)).size).toBe(lists.length);
      for (const { webhook_id: webhookId, ...wants } of endpoints) {
        const taken = decided.filter(
          ({ client, corridor, verdict = 'approve' }) =>
            wants.event_types.includes(TYPE) &&
            (wants.client === null || wants.client === client) &&
            (wants.corridors === null || wants.corridors.includes(corridor)) &&
            wants.verdicts.includes(verdict),
        );
        const own = lists.filter((list) => list.webhookId === webhookId);
        expect(own.flatMap(({ payload }) => JSON.parse(payload).data.decisions)).toEqual(
          taken.map(({ json }) => JSON.parse(json)),
        );
      }
    }),
    { numRuns: runsOf(60) },
  );
});

test('a list has at most 100 decisions, and 64 KiB unless it has only one, and it is as long as these bounds allow', () => {
  const { eventDecisions, eventBytes } = WEBHOOK_LIMITS;
  expect([eventDecisions, eventBytes]).toEqual([100, 65_536]);
  fc.assert(
    fc.property(endpoint, decisions, (one, decided) => {
      const everything = { ...one, client: null, corridors: null, verdicts: [...VERDICTS] };
      const lists = [...toLists([{ ...everything, event_types: [TYPE] }], TYPE, decided)];
      const bytesOf = (payload: string) => Buffer.byteLength(payload);
      for (const [at, { payload, decisions: count }] of lists.entries()) {
        const listed = JSON.parse(payload).data.decisions;
        expect(listed).toHaveLength(count ?? 0);
        expect(count).toBeLessThanOrEqual(eventDecisions);
        if (count !== 1) expect(bytesOf(payload)).toBeLessThanOrEqual(eventBytes);
        const [first] = JSON.parse(lists[at + 1]?.payload ?? '{"data":{"decisions":[]}}').data
          .decisions;
        if (first === undefined || count === eventDecisions) continue;
        const more = bytesOf(JSON.stringify(first)) + 1;
        expect(bytesOf(payload) + more).toBeGreaterThan(eventBytes - 64);
      }
    }),
    { numRuns: runsOf(60) },
  );
});
