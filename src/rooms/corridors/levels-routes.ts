/** `/v1/degradation`: the level of the market and of each corridor. */
import { z } from 'zod';
import {
  type Controls,
  controlSchema,
  levelByHand,
  levelControl,
} from '../../core/domain/control.ts';
import { corridorScope, MARKET } from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { worse } from '../../kit/breakers/degradation.ts';
import { list } from '../../kit/http/operation.ts';
import { LEVELS } from '../../kit/words/levels.ts';
import { READING_ROLES } from './authority.ts';

const levelSchema = z
  .object({
    scope: z.string(),
    level: z.int().min(0).max(4).meta({ description: 'As this API process sees it.' }),
    sentence: z.string(),
    causes: z.array(z.string()).meta({
      description:
        'Breakers that are not closed, as `NAME:STATE`, and what is slow or fails, as `writes:US-EG:slow`.',
    }),
    by_hand: controlSchema.nullable().meta({
      description: 'The control that sets the level by hand; null: none.',
    }),
  })
  .meta({ id: 'DegradationLevel' });
type LevelJson = z.output<typeof levelSchema>;

/** @param corridor null: the market */
function toLevel(
  controls: Controls,
  { health }: Api['guards'],
  corridor: string | null,
): LevelJson {
  const measured = corridor === null ? health.level() : health.levelOf(corridor);
  const level = worse(measured, levelByHand(controls, corridor));
  return {
    scope: corridor === null ? MARKET : corridorScope(corridor),
    level,
    sentence: LEVELS[level],
    causes: health.causesOf(corridor),
    by_hand: levelControl(controls, corridor) ?? null,
  };
}

export const levelOperations = [
  list({
    at: '/v1/degradation',
    operationId: 'listDegradation',
    summary: 'Levels of degradation: of the market and of each corridor',
    roles: READING_ROLES,
    row: levelSchema,
    says: 'Levels, the market first.',
    rows: async (_input, { databases, guards, ingest }: Api) => {
      const controls = await readControls(databases.primary);
      const corridors = [null, ...[...ingest.corridors()].sort()];
      return corridors.map((corridor) => toLevel(controls, guards, corridor));
    },
  }),
];
