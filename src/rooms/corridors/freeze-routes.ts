/** `/v1/corridors/{id}` and `/v1/markets/{id}`: how one stands, and freezing it. */
import { z } from 'zod';
import { corridorScope } from '../../core/domain/switch.ts';
import type { Api } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { nearestName } from '../../kit/words/nearest-name.ts';
import { AUTHORITY, DECIDING_ROLES } from './authority.ts';
import {
  type Frozen,
  freeze,
  freezeCommandSchema,
  readStanding,
  resume,
  resumeCommandSchema,
  standingSchema,
} from './freeze-change.ts';
import {
  addNote,
  freezeRecord,
  freezeRecordSchema,
  freezesParameters,
  freezesSchema,
  listFreezes,
  noteCommandSchema,
} from './freeze-history.ts';

type Parts = Pick<Api, 'config' | 'databases' | 'ingest' | 'log' | 'switches'>;

export const stopsOf = ({ databases, switches }: Pick<Parts, 'databases' | 'switches'>) => ({
  database: databases.primary,
  ofEnvironment: switches.ofEnvironment,
});

const KINDS = ['corridor', 'market'] as const;
type Kind = (typeof KINDS)[number];

export const paths = {
  corridor: z.object({
    id: z.string().max(64).meta({ description: 'The corridor.', example: 'US-EG' }),
  }),
  market: z.object({
    id: z.string().max(64).meta({ description: 'The market of this API.', example: 'market_0' }),
  }),
};

export function frozenOf(
  kind: Kind,
  id: string,
  { config, ingest }: Pick<Parts, 'config' | 'ingest'>,
): Frozen {
  const names = kind === 'market' ? [config.RISK_MARKET] : [...ingest.corridors()];
  if (!names.includes(id)) {
    const nearest = nearestName(id, names);
    const advice = nearest === undefined ? '' : `; ${nearest} is one`;
    throw new Problem('not-found', `No ${kind} of this API is called ${given(id)}${advice}.`);
  }
  if (kind === 'market') return { scope: 'market', corridor: null };
  return { scope: corridorScope(id), corridor: id };
}

const freezeExample = {
  scope: 'freeze:corridor:US-EG',
  reason: 'a wave of stolen cards',
  message: 'Payments to Egypt are paused.',
  stopped_by: 'Ann',
  stopped_at: '2026-11-25T09:30:00.000Z',
  ends_at: null,
};
export const standingExample = {
  scope: 'corridor:US-EG',
  state: 'frozen' as const,
  message: 'Payments to Egypt are paused.',
  stop: null,
  freeze: freezeExample,
  pending: 0,
  on_hold: 0,
  is_drained: true,
  stricter: [],
  releases_held: true,
};

const READERS = ['analyst', ...DECIDING_ROLES] as const;
const TITLES = { corridor: 'Corridor', market: 'Market' } as const;

const operationsOf = (kind: Kind) => [
  operation({
    method: 'post',
    at: `/v1/${kind}s/{id}/freeze`,
    operationId: `freeze${TITLES[kind]}`,
    summary: `Refuse new transactions of a ${kind}, and score what was accepted`,
    description:
      'Refused with 409 while a switch keeps the scope from being scored. It is drained once `pending` is 0; releases of value are held until it is resumed.',
    roles: AUTHORITY.freeze.roles,
    path: paths[kind],
    body: bodyOf(freezeCommandSchema, { reason: 'a wave of stolen cards' }),
    answers: { 200: answer('How it stands.', standingSchema, standingExample) },
    problems: [404, 409],
    run: async ({ path: { id }, body, by, c }, parts: Parts) => {
      const { roles } = c.get('principal');
      const frozen = frozenOf(kind, id, parts);
      await freeze(parts.databases.primary, frozen, body, { by, roles });
      parts.log.warn({ keyId: by.keyId, ...frozen }, 'freeze');
      return readStanding(stopsOf(parts), frozen);
    },
  }),
  operation({
    method: 'post',
    at: `/v1/${kind}s/{id}/resume`,
    operationId: `resume${TITLES[kind]}`,
    summary: `Let a frozen ${kind} go on; another person does it than froze it`,
    roles: AUTHORITY.resume.roles,
    path: paths[kind],
    body: bodyOf(resumeCommandSchema, { reason: 'the cards are blocked' }),
    answers: {
      200: answer('How it stands.', standingSchema, {
        ...standingExample,
        state: 'open' as const,
        message: null,
        freeze: null,
        is_drained: false,
        releases_held: false,
      }),
    },
    problems: [404, 409],
    run: async ({ path: { id }, body, by, c }, parts: Parts) => {
      const { roles } = c.get('principal');
      const frozen = frozenOf(kind, id, parts);
      await resume(parts.databases.primary, frozen, body.reason, { by, roles });
      parts.log.warn({ keyId: by.keyId, ...frozen }, 'resume');
      return readStanding(stopsOf(parts), frozen);
    },
  }),
];

const investigationOf = (kind: Kind) => [
  operation({
    method: 'post',
    at: `/v1/${kind}s/{id}/notes`,
    operationId: `note${TITLES[kind]}`,
    summary: `Add a note to the investigation of a frozen ${kind}`,
    roles: DECIDING_ROLES,
    path: paths[kind],
    body: bodyOf(noteCommandSchema, { note: 'All cards are of one bank.' }),
    answers: { 200: answer('The freeze with its notes.', freezeRecordSchema, freezeRecord) },
    problems: [404, 409],
    run: async ({ path: { id }, body: { note }, by }, parts: Parts) =>
      addNote(parts.databases.primary, frozenOf(kind, id, parts), note, by),
  }),
  operation({
    method: 'get',
    at: `/v1/${kind}s/{id}/freezes`,
    operationId: `list${TITLES[kind]}Freezes`,
    summary: `Freezes of a ${kind} with their notes, newest first`,
    roles: READERS,
    path: paths[kind],
    query: freezesParameters,
    answers: {
      200: answer('One page.', freezesSchema, { items: [freezeRecord], next_cursor: null }),
    },
    problems: [404],
    run: async ({ path: { id }, query }, parts: Parts) =>
      listFreezes(parts.databases.primary.query, frozenOf(kind, id, parts), query),
  }),
];

const readMarket = operation({
  method: 'get',
  at: '/v1/markets/{id}',
  operationId: 'readMarket',
  summary: 'How a market stands: open, frozen or stopped, and what is pending',
  roles: ['analyst', ...DECIDING_ROLES],
  path: paths.market,
  answers: { 200: answer('How it stands.', standingSchema, standingExample) },
  problems: [404],
  run: async ({ path: { id } }, parts: Parts) =>
    readStanding(stopsOf(parts), frozenOf('market', id, parts)),
});

export const freezeOperations = [
  readMarket,
  ...KINDS.flatMap((kind) => [...operationsOf(kind), ...investigationOf(kind)]),
];
