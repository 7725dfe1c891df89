/** `/v1/scorecards`: the tables of the day. */
import { z } from 'zod';
import { listHeads } from '../../../core/store/scorecards/scorecards.ts';
import { approvalSchema } from '../../../kit/approvals/approval.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { answer, bodyOf, change, list, read } from '../../../kit/http/operation.ts';
import { cursorOfNames } from '../../../kit/words/list-parameters.ts';
import { LIST_ROWS } from '../../../kit/words/page.ts';
import { reasonField } from '../../../kit/words/plain-text.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { dayText, headSchema, readTableJson, tableSchema, toHeadJson } from './answers.ts';
import { groupSchema, nameGroup, newGroupSchema } from './group.ts';
import { proposeTable } from './take-table.ts';

type Parts = { readonly databases: Databases };

const reading = { roles: ['analyst', 'operator', 'risk_officer'] } as const;
const DAY = '2026-11-29';
const ofDay = z.object({ day: dayText.meta({ description: 'A UTC day.', example: DAY }) });
const newTakingSchema = z
  .strictObject({ reason: reasonField })
  .meta({ id: 'NewScorecardProposal' });
/** A day after all others. */
const NEVER = '9999-12-31';

export const scorecardOperations = [
  list({
    ...reading,
    at: '/v1/scorecards',
    operationId: 'listScorecards',
    'x-command': 'scorecard list',
    summary: 'Tables of the day: what the market has learnt each night',
    query: cursorOfNames(dayText, DAY),
    row: headSchema,
    says: 'One page, the newest day first.',
    rows: async ({ query: { cursor = NEVER } }, { databases: { primary } }: Parts) =>
      (await listHeads(primary.query, Date.parse(cursor) / DAY_MS, LIST_ROWS)).map(toHeadJson),
    cursorOf: ({ day }) => day,
  }),
  read({
    ...reading,
    at: '/v1/scorecards/{day}',
    operationId: 'readScorecard',
    'x-command': 'scorecard show',
    summary: 'The table of a day: points of each measure by bucket',
    path: ofDay,
    answers: { 200: answer('The table.', tableSchema) },
    run: ({ path: { day } }, { databases: { primary } }: Parts) => readTableJson(primary, day),
  }),
  change({
    roles: ['risk_officer'],
    at: '/v1/scorecards/{day}/proposals',
    operationId: 'proposeScorecard',
    'x-command': 'scorecard take',
    summary: 'Propose to take a table that waits for people; another person confirms it',
    path: ofDay,
    body: bodyOf(newTakingSchema),
    answers: { 201: answer('The approval.', approvalSchema) },
    run: ({ path: { day }, body: { reason }, by }, { databases: { primary } }: Parts) =>
      proposeTable(primary, day, reason, by),
  }),
  change({
    method: 'put',
    roles: ['risk_officer'],
    at: '/v1/scorecard-group',
    operationId: 'nameScorecardGroup',
    'x-command': 'scorecard group',
    summary: 'Name the text by which amounts are told apart',
    description:
      'The next table counts frauds by this text and the size of the amount; `type` until one is named.',
    body: bodyOf(newGroupSchema),
    answers: { 200: answer('The group.', groupSchema) },
    run: ({ body, by }, { databases: { primary } }: Parts) => nameGroup(primary, body, by),
  }),
];
