/** Requests about review cases whose answers the document has to have: a case from its opening on, and what is refused. */
import { CAPACITY_MAX } from '../../../../src/rooms/review/capacity.ts';
import { examplePolicy, REVIEWS_PER_HOUR } from '../../../../src/rooms/review/policy.ts';

/** The query of a capacity that asks for the most officers. */
export const GREATEST_LOAD = new URLSearchParams({
  officers: '1',
  transactions_per_day: String(CAPACITY_MAX.transactionsPerDay),
  auto_clear_ratio: '0',
  reviews_per_hour: String(REVIEWS_PER_HOUR.min),
  growth: String(CAPACITY_MAX.growth),
}).toString();

type Request = readonly [path: string, body: object];

/** @param id a stored transaction; Ann, a person with every role, sends the requests in this order */
export function reviewRequests(id: string, unknownId: string): Request[] {
  const of = (step: string, body: object = {}): Request => [`/v1/reviews/${id}/${step}`, body];
  const decision = { disposition: 'fraud', reason: 'seen' };
  return [
    ['/v1/reviews', { transaction_id: id }],
    ['/v1/reviews', { transaction_id: id, note: 'again' }],
    ['/v1/reviews', { transaction_id: unknownId }],
    ['/v1/reviews', {}],
    ['/v1/reviews/next', {}],
    ['/v1/reviews/next', { priority: 'P9' }],
    ...['claim', 'lock', 'release', 'confirm', 'undo', 'claim'].map((step) => of(step)),
    of('escalate', { reason: 'a ring' }),
    of('return', { reason: 'no' }),
    of('assign', { assignee: 'Ann' }),
    of('assign', { assignee: 'nobody' }),
    of('claim'),
    of('notes', { note: 'one\ntwo' }),
    of('notes', { note: '' }),
    of('decide', { ...decision, disposition: 'maybe' }),
    of('decide', decision),
    of('undo'),
    ['/v1/reviews/decide', { ...decision, cases: [id, unknownId] }],
    ['/v1/reviews/decide', { ...decision, cases: ['1'] }],
    [`/v1/reviews/${unknownId}/claim`, {}],
    ['/v1/exchange-rates', { rates: [{ day: '2026-11-20', currency: 'EUR', usd: '1.0842' }] }],
    ['/v1/exchange-rates', { rates: [{ day: '2026-11-20', currency: 'USD', usd: '1' }] }],
    ['/v1/reviews/policy', examplePolicy],
    ['/v1/reviews/policy', { ...examplePolicy, overflow: 1 }],
  ];
}
