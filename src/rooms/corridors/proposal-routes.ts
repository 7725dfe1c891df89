/** `/v1/proposals`: what figures propose to do about corridors, and carrying it out. */
import { z } from 'zod';
import { throttleScope } from '../../core/domain/limit.ts';
import { stricterScope } from '../../core/domain/switch.ts';
import type { Api } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { freeze, resumeCommandSchema } from './freeze-change.ts';
import { frozenOf } from './freeze-routes.ts';
import { readProposals } from './hour-figures.ts';
import { changeLimit } from './limit-change.ts';
import {
  PROPOSED_POINTS,
  type Proposal,
  proposalSchema,
  THRESHOLDS,
  THROTTLED_SHARE,
} from './proposals.ts';
import { changeScopes } from './switch-change.ts';

const example: Proposal = {
  id: 'disputes:US-EG',
  corridor: 'US-EG',
  trigger: 'disputes',
  found: 14,
  threshold: THRESHOLDS.disputes,
  action: 'freeze',
  hours: 2,
  rate_per_second: null,
  burst: null,
  blast_radius: { corridors: ['US-EG'], accounts_share: 0.04, is_within: true },
};

const path = z.object({
  id: z.string().max(64).meta({ description: 'The proposal.', example: 'disputes:US-EG' }),
});
const doneSchema = z
  .object({ proposal: proposalSchema, scope: z.string(), ends_at: z.iso.datetime() })
  .meta({ id: 'ConfirmedProposal' });

export const proposalOperations = [
  operation({
    method: 'get',
    at: '/v1/proposals',
    operationId: 'listProposals',
    summary: 'What figures of the last hour propose to do about corridors',
    description: `More than ${THRESHOLDS.disputes} disputes within 5 minutes, or more than ${THRESHOLDS.errors * 100} % dead letters, propose a freeze; more than ${THRESHOLDS.declines * 100} % declines propose a tightening by ${PROPOSED_POINTS} points; open cases that meet an overflow rule of the review with \`propose_throttle\` propose a throttle to ${THROTTLED_SHARE * 100} % of what comes a second. A proposal stands while its figures do.`,
    roles: READING_ROLES,
    answers: {
      200: answer('Every proposal.', z.object({ items: z.array(proposalSchema) }), {
        items: [example],
      }),
    },
    run: async (_input, { databases }: Api) => ({
      items: await readProposals(databases.primary, databases.now()),
    }),
  }),
  operation({
    method: 'post',
    at: '/v1/proposals/{id}/confirm',
    operationId: 'confirmProposal',
    summary: 'Carry a proposal out; it ends by itself',
    roles: DECIDING_ROLES,
    path,
    body: bodyOf(resumeCommandSchema, { reason: 'the bank sees it, too' }),
    answers: {
      200: answer('The scope that is in force, and its end.', doneSchema, {
        proposal: example,
        scope: 'freeze:corridor:US-EG',
        ends_at: '2026-11-25T11:30:00.000Z',
      }),
    },
    problems: [404, 409],
    run: async ({ path: { id }, body, by }, parts: Api) => {
      const { primary, now } = parts.databases;
      const proposal = (await readProposals(primary, now())).find(
        (readProposal) => readProposal.id === id,
      );
      if (proposal === undefined) {
        throw new Problem('not-found', `Nothing is proposed as ${given(id)}: GET /v1/proposals.`);
      }
      const { corridor, trigger, found, action, hours, rate_per_second, burst } = proposal;
      const reason = `${body.reason} (${trigger}: ${Number(found.toFixed(3))})`;
      const ends_at = new Date(now() + hours * 3_600_000).toISOString();
      if (rate_per_second !== null && burst !== null) {
        const command = { kind: 'transactions', rate_per_second, burst, reason, ends_at } as const;
        await changeLimit(primary, { scope: throttleScope(corridor), command, by });
      } else if (action === 'freeze') {
        const frozen = frozenOf('corridor', corridor, parts);
        await freeze(primary, frozen, { reason, ends_at }, by);
      } else {
        const scopes = [stricterScope('tighten', corridor)];
        const command = { stopped: true, reason, ends_at, value: PROPOSED_POINTS };
        await changeScopes(primary, { scopes, command, by });
      }
      parts.log.warn({ keyId: by.keyId, ...proposal }, 'confirmed proposal');
      return {
        proposal,
        scope: `${action}:corridor:${corridor}`,
        ends_at,
      };
    },
  }),
];
