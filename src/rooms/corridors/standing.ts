/** How a corridor or the market stands: open or in a state that refuses submissions, and what waits. */
import { z } from 'zod';
import {
  type Controls,
  controlSchema,
  freezeOf,
  listControls,
  refusedBy,
  withEnvironment,
} from '../../core/domain/control.ts';
import { kindOf } from '../../core/domain/control-kinds.ts';
import { corridorScope, MARKET } from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { countOnHold, countOpen } from '../../core/store/open-rows/open-rows.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { nearestName } from '../../kit/words/nearest-name.ts';

/** Facts that clients may know. */
export const scopeStateSchema = z
  .object({
    scope: z.string(),
    state: z.enum(['open', 'frozen', 'read-only', 'stopped']),
    message: z.string().nullable().meta({ description: 'What refused clients read.' }),
  })
  .meta({ id: 'ScopeState' });

export const standingSchema = z
  .object({
    ...scopeStateSchema.shape,
    controls: z.array(controlSchema).meta({
      description: 'Controls in force of the scope, its market and all markets.',
    }),
    pending: z.int().meta({ description: 'Accepted and not final, those on hold included.' }),
    on_hold: z.int().meta({ description: 'Pending, and not scored before a stop has ended.' }),
    is_drained: z.boolean().meta({ description: 'Frozen, and nothing is pending.' }),
    releases_held: z
      .boolean()
      .meta({ description: 'Whether value must not be released for what was accepted.' }),
  })
  .meta({ id: 'Standing' });

const pathOf = (description: string, example: string) =>
  z.object({ id: z.string().max(64).meta({ description, example }) });
export const paths = {
  corridor: pathOf('The corridor.', 'US-EG'),
  market: pathOf('The market of this API.', 'market_0'),
};

/** @throws Problem where this API has no such corridor or market */
export function requireKnown(
  form: 'corridor' | 'market',
  id: string,
  { config, ingest }: Pick<Api, 'config' | 'ingest'>,
): void {
  const names = form === 'market' ? [config.RISK_MARKET] : [...ingest.corridors()];
  if (names.includes(id)) return;
  const nearest = nearestName(id, names);
  const advice = nearest === undefined ? '' : `; ${nearest} is one`;
  throw new Problem('not-found', `No ${form} of this API is called ${given(id)}${advice}.`);
}

/** @param corridor null: the market */
async function readOwn(corridor: string | null, parts: Pick<Api, 'databases' | 'controls'>) {
  const read = await readControls(parts.databases.primary);
  const controls = withEnvironment(read, parts.controls.ofEnvironment);
  return { controls, ...stateOf(controls, corridor) };
}

/** The state is a word of the kind that refuses submissions: what only holds scores leaves a scope open. */
function stateOf(controls: Controls, corridor: string | null) {
  const control = refusedBy(controls, corridor);
  return {
    scope: corridor === null ? MARKET : corridorScope(corridor),
    state: (control && kindOf(control.kind).refuses?.state) ?? ('open' as const),
    message: control?.message ?? null,
  };
}

export async function readScopeState(corridor: string, parts: Api) {
  const { controls: _, ...state } = await readOwn(corridor, parts);
  return state;
}

export async function readStanding(corridor: string | null, parts: Api) {
  const { query } = parts.databases.primary;
  const [{ controls, ...state }, pending, onHold] = await Promise.all([
    readOwn(corridor, parts),
    countOpen(query, corridor),
    countOnHold(query),
  ]);
  const isFrozen = freezeOf(controls, corridor) !== undefined;
  const scopes = ['all', MARKET, state.scope];
  return {
    ...state,
    controls: listControls(controls).filter(({ scope }) => scopes.includes(scope)),
    pending,
    on_hold: sumOf(onHold, corridor),
    is_drained: isFrozen && pending === 0,
    releases_held: isFrozen,
  };
}

function sumOf(onHold: ReadonlyMap<string, number>, corridor: string | null): number {
  if (corridor !== null) return onHold.get(corridor) ?? 0;
  return [...onHold.values()].reduce((sum, count) => sum + count, 0);
}
