/** `/v1/proposals`: what figures propose to do about corridors, and carrying it out. */
import { z } from 'zod';
import { corridorScope } from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, change, list } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { reasonField } from '../../kit/words/plain-text.ts';
import { HOUR_MS } from '../../kit/words/range.ts';
import { DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { changeControl } from './control-change.ts';
import { readProposals } from './hour-figures.ts';
import { PROPOSED_POINTS, proposalSchema, THRESHOLDS, THROTTLED_SHARE } from './proposals.ts';

const confirmSchema = z.strictObject({ reason: reasonField }).meta({ id: 'ConfirmCommand' });
const path = z.object({
  id: z.string().max(64).meta({ description: 'The proposal.', example: 'disputes:US-EG' }),
});
const doneSchema = z
  .object({
    proposal: proposalSchema,
    kind: z.string(),
    scope: z.string(),
    ends_at: z.iso.datetime(),
  })
  .meta({ id: 'ConfirmedProposal' });

export const proposalOperations = [
  list({
    at: '/v1/proposals',
    operationId: 'listProposals',
    summary: 'What figures of the last hour propose to do about corridors',
    description: `More than ${THRESHOLDS.disputes} disputes within 5 minutes, or more than ${THRESHOLDS.errors * 100} % dead letters, propose a freeze; more than ${THRESHOLDS.declines * 100} % declines propose a tightening by ${PROPOSED_POINTS} points; open cases that meet an overflow rule of the review with \`propose_throttle\` propose a throttle to ${THROTTLED_SHARE * 100} % of what comes a second. A proposal stands while its figures do.`,
    roles: READING_ROLES,
    row: proposalSchema,
    says: 'Every proposal.',
    rows: (_input, { databases: { primary, now } }: Api) => readProposals(primary, now()),
  }),
  change({
    at: '/v1/proposals/{id}/confirm',
    operationId: 'confirmProposal',
    summary: 'Carry a proposal out; it ends by itself',
    roles: DECIDING_ROLES,
    path,
    body: bodyOf(confirmSchema),
    answers: { 200: answer('The scope that is in force, and its end.', doneSchema) },
    run: async ({ path: { id }, body, by }, parts: Api) => {
      const { primary, now } = parts.databases;
      const proposal = (await readProposals(primary, now())).find(
        (readProposal) => readProposal.id === id,
      );
      if (proposal === undefined) {
        throw new Problem('not-found', `Nothing is proposed as ${given(id)}: GET /v1/proposals.`);
      }
      const { corridor, trigger, found, action: kind, hours, rate_per_second, burst } = proposal;
      const reason = `${body.reason} (${trigger}: ${Number(found.toFixed(3))})`;
      const ends_at = new Date(now() + hours * HOUR_MS).toISOString();
      const scope = corridorScope(corridor);
      const value = {
        freeze: {},
        tighten: { points: PROPOSED_POINTS },
        throttle: { rate_per_second: rate_per_second ?? undefined, burst: burst ?? undefined },
      }[kind];
      const command = { in_force: true, ...value, reason, ends_at };
      const { now: controls } = await changeControl(primary, { kind, scope, command, by });
      parts.controls.take(controls);
      parts.log.warn({ keyId: by.keyId, ...proposal }, 'confirmed proposal');
      return { proposal, kind, scope, ends_at };
    },
  }),
];
