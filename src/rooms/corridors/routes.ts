/** `/v1/switches`: what is stopped, and stopping and starting it. */
import { z } from 'zod';
import {
  isFlagScope,
  isLevelScope,
  isStricterScope,
  type Switches,
  scopeText,
  stopSchema,
  toStopJson,
  withEnvironment,
} from '../../core/domain/switch.ts';
import { type Api, routesUnder } from '../../core/room.ts';
import { countOnHold } from '../../core/store/open-rows/open-rows.ts';
import { readSwitches } from '../../core/store/switches/switches.ts';
import { eventOf, eventsDocument, schemaOf } from '../../kit/http/event-document.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { AUTHORITY, DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { corridorOperations } from './corridor-routes.ts';
import { degradationOperations, flagOperations } from './degradation-routes.ts';
import { freezeOperations } from './freeze-routes.ts';
import { noticeOf } from './known-scopes.ts';
import { limitOperations } from './limit-routes.ts';
import { proposalOperations } from './proposal-routes.ts';
import type { Proposal } from './proposals.ts';
import { stricterOperations } from './stricter-routes.ts';
import {
  changedSwitchSchema,
  changeScopes,
  checkScope,
  requireModel,
  stopExample,
  stopJsonOf,
  switchCommandSchema,
  switchSchema,
} from './switch-change.ts';

/** The contents of the event of a decision that another person completes, for the document. */
const eventsPart = eventsDocument([
  eventOf({
    type: 'decision.second_authority',
    summary: 'A person stopped or proposed something, or figures propose it',
    data: z.object({
      action: z.string().meta({ description: 'Action of the audit log, or of the proposal.' }),
      subject: z.string(),
      reason: z.string().nullable(),
      who: z.string(),
      at: z.iso.datetime(),
      is_waiting: z.boolean().meta({ description: 'Whether another person has to act.' }),
      next: z.string(),
      recipients: z.array(z.string()).meta({ description: 'People who may act.' }),
      // Proposals of figures are told whole.
      proposal: schemaOf<Proposal>('Proposal').optional(),
    }),
    example: {
      action: 'scope.freeze',
      subject: 'corridor:US-EG',
      reason: 'the bank sees fraud',
      who: 'Ann',
      at: '2026-11-20T12:00:00.000Z',
      is_waiting: false,
      next: 'To resume takes another person than Ann with the role risk_officer.',
      recipients: ['Zoe'],
    },
  }),
]);

const path = z.object({
  scope: scopeText.meta({
    description:
      '`all`, `market`, `corridor:US-EG`, `client:NAME`, `rule:NIGHT_HIGH_AMOUNT` or `model:fraud@3`.',
    example: 'corridor:US-EG',
  }),
});

const switchExample = { scope: 'corridor:US-EG', version: 7, stop: stopExample };

const switchesSchema = z
  .object({
    market: z.string(),
    version: z.int(),
    items: z.array(stopSchema),
    on_hold: z.array(z.object({ corridor: z.string(), transactions: z.int() })).meta({
      description: 'Accepted transactions that leave no score until their switch has ended.',
    }),
  })
  .meta({ id: 'Switches' });

const toSwitch = (scope: string, read: Switches, { switches }: Api) => {
  const all = withEnvironment(read, switches.ofEnvironment);
  return { scope, version: all.version, stop: stopJsonOf(all, scope) };
};

const switchOperations = [
  operation({
    method: 'get',
    at: '/v1/switches',
    operationId: 'listSwitches',
    summary: 'What is stopped',
    roles: READING_ROLES,
    answers: {
      200: answer('Every stopped scope, and what waits for it.', switchesSchema, {
        market: 'market_0',
        version: 7,
        items: [stopExample],
        on_hold: [{ corridor: 'US-EG', transactions: 12 }],
      }),
    },
    run: async (_input, { config, databases: { primary }, switches }: Api) => {
      const [read, onHold] = await Promise.all([readSwitches(primary), countOnHold(primary.query)]);
      const { version, stopped } = withEnvironment(read, switches.ofEnvironment);
      return {
        market: config.RISK_MARKET,
        version,
        items: [...stopped]
          .filter(
            ([scope]) => !isFlagScope(scope) && !isLevelScope(scope) && !isStricterScope(scope),
          )
          .map((stop) => toStopJson(...stop)),
        on_hold: [...onHold].map(([corridor, transactions]) => ({ corridor, transactions })),
      };
    },
  }),
  operation({
    method: 'get',
    at: '/v1/switches/{scope}',
    operationId: 'readSwitch',
    summary: 'Whether a scope is stopped',
    roles: READING_ROLES,
    path,
    answers: { 200: answer('The switch.', switchSchema, switchExample) },
    problems: [404],
    run: async ({ path: { scope } }, parts: Api) => {
      await checkScope(scope, parts);
      return toSwitch(scope, await readSwitches(parts.databases.primary), parts);
    },
  }),
  operation({
    method: 'put',
    at: '/v1/switches/{scope}',
    operationId: 'changeSwitch',
    summary: 'Stop a scope, or start it again',
    description: `From the answer on no score of a stopped corridor or market is stored, and every API process refuses submissions within a second. What was accepted waits and is scored once the stop has ended. A stopped rule refuses nothing: it adds to no score from a second later on, and \`rule_set\` of a score says so. A stopped model judges nothing from a second later on, as after its rollback. One person stops alone; \`market\` and \`all\` are started again by another person, with the role ${AUTHORITY['start market or all'].roles.join(' or ')}.`,
    roles: DECIDING_ROLES,
    path,
    body: bodyOf(switchCommandSchema, {
      stopped: true,
      reason: 'payouts fail at the bank',
      message: 'Payouts to Egypt are paused.',
    }),
    answers: {
      200: answer('The switch as it is now, and as it was.', changedSwitchSchema, {
        ...switchExample,
        before: null,
        notice: null,
      }),
    },
    problems: [404, 409],
    run: async ({ path: { scope }, body: command, by }, parts: Api) => {
      const { databases, log, models } = parts;
      await checkScope(scope, parts, command.stopped);
      if (command.stopped) await requireModel(scope, models);
      const change = { scopes: [scope], command, by };
      const { before, now } = await changeScopes(databases.primary, change);
      log.warn({ keyId: by.keyId, scope, command }, 'switch');
      const notice = command.stopped ? await noticeOf(scope, databases.primary) : null;
      const changed = toSwitch(scope, now, parts);
      return { ...changed, before: toSwitch(scope, before, parts).stop, notice };
    },
  }),
];

const operations = [
  ...switchOperations,
  ...corridorOperations,
  ...freezeOperations,
  ...flagOperations,
  ...degradationOperations,
  ...stricterOperations,
  ...proposalOperations,
  ...limitOperations,
];

const SUMMARY = 'Corridors and markets: what is stopped, turned off and limited.';
const routes = routesUnder('corridors', SUMMARY, operations);
export const document = { ...routes.document, ...eventsPart };
export const { open } = routes;
