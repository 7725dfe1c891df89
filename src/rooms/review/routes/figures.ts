/** How the review stands, and the rules that it follows: status, shift, capacity, policy and exchange rates. */
import { z } from 'zod';
import { describeLive, liveContent } from '../../../kit/http/live.ts';
import { answer, bodyOf, change, type Operation, read } from '../../../kit/http/operation.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { capacitySchema } from '../capacity.ts';
import { type ExchangeRate, exchangeRateSchema } from '../exchange-rate.ts';
import { examplePolicy, reviewPolicySchema, storedPolicySchema } from '../policy.ts';
import { readShift, shiftParameters } from '../queries/shift.ts';
import { capacityParameters, readCapacity } from '../queries/status.ts';
import { shiftSchema, statusSchema } from '../status.ts';
import { insertPolicy, readPolicy } from '../store/policies.ts';
import { importRates } from '../store/rates.ts';
import { OFFICERS, type Parts, REVIEWERS } from './cases.ts';

/** Each reading counts the cases that wait: 10 statements, 0.4 s of 200,000 open cases. */
export const STATUS_EVERY_MS = 5000;
export const READERS = ['analyst', 'operator', 'risk_officer'] as const;

/** 25 days of 40 currencies; `risk rates import` takes more. */
const RATES_MAX = 1000;
const ratesInput = z
  .strictObject({ rates: z.array(exchangeRateSchema).min(1).max(RATES_MAX) })
  .meta({ id: 'ExchangeRatesInput' });
const importedRates = z
  .object({
    added: z.int(),
    changed: z.int().meta({ description: 'There was another rate of that day.' }),
    unchanged: z.int(),
  })
  .meta({ id: 'ImportedRates' });

/** Refuses two rates of one day and currency: either could be the wrong one. */
function refuseTwice(rates: readonly ExchangeRate[]): void {
  const seen = new Map<string, number>();
  for (const [index, { currency, day }] of rates.entries()) {
    const first = seen.get(`${currency} ${day}`);
    if (first !== undefined) {
      const detail = `must not have ${currency} on ${day} again, after /rates/${first}`;
      throw new InvalidFields([{ pointer: `/rates/${index}`, detail }]);
    }
    seen.set(`${currency} ${day}`, index);
  }
}

export const figureOperations: readonly Operation<Parts>[] = [
  read({
    at: '/v1/reviews/status',
    operationId: 'readReviewStatus',
    summary: 'What waits, what will miss its deadline, and which overflow rules are met',
    description: describeLive(STATUS_EVERY_MS),
    roles: READERS,
    answers: {
      200: { description: 'The queue as of now.', content: liveContent(statusSchema) },
    },
    run: ({ c }, { answerStatus }: Parts) => answerStatus(c),
  }),
  read({
    at: '/v1/reviews/shift',
    operationId: 'readReviewShift',
    summary: 'What you have decided since the begin of your shift',
    roles: REVIEWERS,
    query: shiftParameters,
    answers: { 200: answer('The shift as of now.', shiftSchema) },
    run: ({ query, by }, { database }: Parts) =>
      readShift(database.query, by.name, query, Date.now()),
  }),
  read({
    at: '/v1/reviews/capacity',
    operationId: 'readReviewCapacity',
    summary: 'How many officers the reviews take, now and with growth',
    description: 'From measured figures, unless the question gives others.',
    roles: READERS,
    query: capacityParameters,
    answers: { 200: answer('The figures.', capacitySchema) },
    run: ({ query }, { database }: Parts) => readCapacity(database.query, query),
  }),
  read({
    at: '/v1/reviews/policy',
    operationId: 'readReviewPolicy',
    summary: 'The policy in force: priorities, deadlines, overflow rules, bounds',
    roles: READERS,
    answers: { 200: answer('The newest version.', storedPolicySchema) },
    run: (_, { database }: Parts) => readPolicy(database.query),
  }),
  change({
    at: '/v1/reviews/policy',
    operationId: 'changeReviewPolicy',
    summary: 'Put a new version of the policy in force',
    description: 'Cases that are open keep their priority and deadline.',
    roles: OFFICERS,
    body: bodyOf(reviewPolicySchema, examplePolicy),
    answers: { 201: answer('The new version.', storedPolicySchema) },
    run: ({ body, by }, { database }: Parts) => insertPolicy(database, body, by),
  }),
  change({
    at: '/v1/exchange-rates',
    operationId: 'importExchangeRates',
    summary: 'Import exchange rates by day',
    description:
      "All of them are stored, or none; the same day and currency again is corrected. The review compares amounts in `currency` of its policy, by the rates of the transaction's day or of the newest day before it. Cases that are open keep the amount that placed them.",
    roles: ['risk_officer', 'admin'],
    body: bodyOf(ratesInput, { rates: [{ day: '2026-11-20', currency: 'EUR', usd: '1.0842' }] }),
    answers: { 200: answer('Stored.', importedRates) },
    run: async ({ body: { rates }, by }, { database }: Parts) => {
      refuseTwice(rates);
      return await importRates(database, rates, by);
    },
  }),
];
