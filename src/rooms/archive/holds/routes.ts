/** `/v1/holds`: legal holds, by which a court or an authority has data kept. */
import type { Api } from '../../../core/room.ts';
import { answer, bodyOf, operation } from '../../../kit/http/operation.ts';
import { keptToken } from '../../../kit/http/personal-edge.ts';
import { pageOf, pageSchema } from '../../../kit/words/page.ts';
import { HOLDS_MAX, liftHold, listHolds, setHold } from './change-holds.ts';
import {
  hold,
  holdParameters,
  holdPath,
  holdSchema,
  liftSchema,
  newHoldSchema,
  readNewHold,
} from './hold.ts';

type Parts = Pick<Api, 'databases' | 'log'>;

const lifted = {
  ...hold,
  lifted_by: 'Bob',
  lifted_at: '2027-02-01T08:00:00.000Z',
  lift_reason: 'the case is closed',
};

export const holdOperations = [
  operation({
    method: 'get',
    at: '/v1/holds',
    operationId: 'listHolds',
    summary: 'Legal holds, newest first',
    roles: ['operator', 'risk_officer', 'admin'],
    query: holdParameters,
    answers: {
      200: answer('One page.', pageSchema(holdSchema), { items: [hold], next_cursor: null }),
    },
    run: async ({ query: { state, limit, cursor } }, { databases: { primary } }: Parts) => {
      const isInForce = state === undefined ? null : state === 'in_force';
      const holds = await listHolds(primary.query, cursor ?? null, isInForce, limit);
      return pageOf(holds, limit, (last) => last.hold_id);
    },
  }),
  operation({
    method: 'post',
    at: '/v1/holds',
    operationId: 'setHold',
    summary: 'Keep a market, a month or an account from removal',
    description: `While a hold is in force, its subject is neither dropped, purged nor erased. A subject may have several holds; a repetition with the same reason changes nothing. A market has at most ${HOLDS_MAX} holds in force.`,
    roles: ['risk_officer', 'admin'],
    body: bodyOf(newHoldSchema, { kind: 'account', subject: 'acc_17', reason: hold.reason }),
    answers: { 200: answer('The hold.', holdSchema, hold) },
    problems: [404, 409],
    run: async ({ body, by, c }, { databases: { primary }, log }: Parts) => {
      const asked = readNewHold(body);
      const isAccount = asked.kind === 'account' && asked.subject !== null;
      const findSubject = async () =>
        isAccount ? await keptToken(c, 'account_id', asked.subject) : asked.subject;
      for (;;) {
        const subject = await findSubject();
        const made = await setHold(primary, { ...asked, subject }, by);
        log.warn({ keyId: by.keyId, holdId: made.hold_id }, 'legal hold set');
        // A hold waits for an erasure under way, behind which the account has another token.
        if ((await findSubject()) === subject) return made;
      }
    },
  }),
  operation({
    method: 'post',
    at: '/v1/holds/{id}/lift',
    operationId: 'liftHold',
    summary: 'Lift a legal hold; other holds of its subject stay',
    roles: ['risk_officer', 'admin'],
    path: holdPath,
    body: bodyOf(liftSchema, { reason: lifted.lift_reason }),
    answers: { 200: answer('The hold.', holdSchema, lifted) },
    problems: [404],
    run: async ({ path: { id }, body: { reason }, by }, { databases: { primary }, log }: Parts) => {
      const found = await liftHold(primary, id, reason, by);
      log.warn({ keyId: by.keyId, holdId: id }, 'legal hold lifted');
      return found;
    },
  }),
];
