/** `/v1/suggestions`: what figures suggest to do about corridors, and carrying it out. */
import { z } from 'zod';
import { controlSchema } from '../../core/domain/control.ts';
import { corridorScope } from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { answer, bodyOf, change, list } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { reasonField } from '../../kit/words/plain-text.ts';
import { HOUR_MS } from '../../kit/words/range.ts';
import { DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { changeControl } from './control-change.ts';
import { readSuggestions } from './hour-figures.ts';
import { SUGGESTED_POINTS, suggestionSchema, THRESHOLDS, THROTTLED_SHARE } from './suggestions.ts';

const applySchema = z.strictObject({ reason: reasonField }).meta({ id: 'ApplyCommand' });
const path = z.object({
  id: z.string().max(64).meta({ description: 'The suggestion.', example: 'disputes:US-EG' }),
});

export const suggestionOperations = [
  list({
    at: '/v1/suggestions',
    operationId: 'listSuggestions',
    summary: 'What figures of the last hour suggest to do about corridors',
    description: `More than ${THRESHOLDS.disputes} disputes within 5 minutes, or more than ${THRESHOLDS.errors * 100} % dead letters, suggest a freeze; more than ${THRESHOLDS.declines * 100} % declines suggest a tightening by ${SUGGESTED_POINTS} points; open cases that meet an overflow rule of the review with \`suggest_throttle\` suggest a throttle to ${THROTTLED_SHARE * 100} % of what comes a second, and with \`suggest_tightening\` a tightening. A suggestion stands while its figures do.`,
    roles: READING_ROLES,
    row: suggestionSchema,
    says: 'Every suggestion.',
    rows: (_input, { databases: { primary, now } }: Api) => readSuggestions(primary, now()),
  }),
  change({
    at: '/v1/suggestions/{id}/apply',
    operationId: 'applySuggestion',
    summary: 'Carry a suggestion out; it ends by itself',
    roles: DECIDING_ROLES,
    path,
    body: bodyOf(applySchema),
    answers: { 200: answer('The control.', controlSchema) },
    run: async ({ path: { id }, body, by }, parts: Api) => {
      const { primary, now } = parts.databases;
      const suggestion = (await readSuggestions(primary, now())).find(
        ({ id: found }) => found === id,
      );
      if (suggestion === undefined) {
        throw new Problem(
          'not-found',
          `Nothing is suggested as ${given(id)}: GET /v1/suggestions.`,
        );
      }
      const { corridor, trigger, found, action: kind, hours, rate_per_second, burst } = suggestion;
      const reason = `${body.reason} (${trigger}: ${Number(found.toFixed(3))})`;
      const ends_at = new Date(now() + hours * HOUR_MS).toISOString();
      const scope = corridorScope(corridor);
      const value = {
        freeze: {},
        tighten: { points: SUGGESTED_POINTS },
        throttle: { rate_per_second: rate_per_second ?? undefined, burst: burst ?? undefined },
      }[kind];
      const command = { in_force: true, ...value, reason, ends_at };
      const { now: controls } = await changeControl(primary, { kind, scope, command, by });
      parts.controls.take(controls);
      parts.log.warn({ keyId: by.keyId, ...suggestion }, 'applied suggestion');
      return controls.inForce.get(kind)?.get(scope);
    },
  }),
];
