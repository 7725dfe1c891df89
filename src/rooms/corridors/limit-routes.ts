/** `/v1/limits`: what scopes may send, and changing it. */
import { z } from 'zod';
import {
  type Limit,
  limitSchema,
  toLimitJson,
  toProposalJson,
  uncountedIn,
} from '../../core/domain/limit.ts';
import { scopeText } from '../../core/domain/switch.ts';
import type { Api } from '../../core/room.ts';
import { readLimits } from '../../core/store/limits/limits.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { noticeOf } from './known-scopes.ts';
import {
  changedLimitsSchema,
  changeLimit,
  checkLimitScope,
  limitCommandSchema,
  limitsOfScopeSchema,
  wrongEndOf,
} from './limit-change.ts';

const path = z.object({
  scope: scopeText.meta({
    description:
      '`market`, `corridor:US-EG`, `client:NAME`, `key:ID`, or `throttle:corridor:US-EG`, which ends by itself, or `each:account`, `each:device`, `each:address`: each of them by itself.',
    example: 'client:shop',
  }),
});

const example = {
  kind: 'transactions',
  rate_per_second: 500,
  burst: 1000,
  version: 1,
  set_by: 'Ann',
  reason: 'contract of 2026',
  set_at: '2026-11-25T09:30:00.000Z',
  ends_at: null,
  proposal: null,
};
const scopeExample = { scope: 'client:shop', limits: [example] };

const limitsSchema = z
  .object({ items: z.array(limitSchema.extend({ scope: z.string() }).meta({ id: 'LimitOfAll' })) })
  .meta({ id: 'Limits' });

const ofScope = (scope: string, all: readonly Limit[]) => ({
  scope,
  limits: all.filter((limit) => limit.scope === scope).map(toLimitJson),
});

const wrongField = (pointer: string, detail: string) =>
  new Problem('invalid-fields', 'The limit cannot be set.', { errors: [{ pointer, detail }] });

export const limitOperations = [
  operation({
    method: 'get',
    at: '/v1/limits',
    operationId: 'listLimits',
    summary: 'All limits',
    roles: READING_ROLES,
    answers: {
      200: answer('Every limit; a scope without one is not limited.', limitsSchema, {
        items: [{ scope: 'client:shop', ...example }],
      }),
    },
    run: async (_input, { databases: { primary } }: Api) => ({
      items: (await readLimits(primary.query)).map((readLimit) => ({
        scope: readLimit.scope,
        ...toLimitJson(readLimit),
      })),
    }),
  }),
  operation({
    method: 'get',
    at: '/v1/limits/{scope}',
    operationId: 'readLimits',
    summary: 'Limits of a scope',
    roles: READING_ROLES,
    path,
    answers: { 200: answer('One a kind at most.', limitsOfScopeSchema, scopeExample) },
    problems: [404],
    run: async ({ path: { scope } }, { databases: { primary }, ingest }: Api) => {
      checkLimitScope(scope, ingest.corridors());
      return ofScope(scope, await readLimits(primary.query));
    },
  }),
  operation({
    method: 'put',
    at: '/v1/limits/{scope}',
    operationId: 'changeLimit',
    summary: 'Set, lower, raise or remove a limit',
    description:
      'A first limit and a lower one hold within a second of the answer. A raise, and a removal, is stored as `proposal`, and holds when another person sends the same. A throttle of a corridor is taken beside its lasting limit, which is then as it was.',
    roles: DECIDING_ROLES,
    path,
    body: bodyOf(limitCommandSchema, {
      kind: 'transactions',
      rate_per_second: 500,
      burst: 1000,
      reason: 'contract of 2026',
    }),
    answers: {
      200: answer('The limits as they are now.', changedLimitsSchema, {
        ...scopeExample,
        replaced: null,
        notice: null,
      }),
    },
    problems: [404, 409],
    run: async ({ path: { scope }, body: command, by }, { databases, ingest, log }: Api) => {
      checkLimitScope(scope, ingest.corridors());
      const uncounted = uncountedIn(scope, command.kind);
      if (uncounted !== undefined) throw wrongField('/kind', uncounted);
      const wrongEnd = wrongEndOf(scope, command);
      if (wrongEnd !== undefined) throw wrongField('/ends_at', wrongEnd);
      const { primary } = databases;
      const replaced = await changeLimit(primary, { scope, command, by });
      log.warn({ keyId: by.keyId, scope, command }, 'limit');
      const notice = command.rate_per_second === undefined ? null : await noticeOf(scope, primary);
      const now = ofScope(scope, await readLimits(primary.query));
      return { ...now, replaced: replaced && toProposalJson(replaced), notice };
    },
  }),
];
