/** People bound scopes by controls; these functions say what follows from the controls in force. */
import { z } from 'zod';
import type { Limit, LimitUnit } from './control-kinds.ts';
import { controlValueSchema, KIND_NAMES, type Kind, kindOf } from './control-kinds.ts';
import type { CorridorSettings } from './corridor.ts';
import { corridorScope, type Flag, flagScope, MARKET, MODEL, RULE } from './corridor.ts';
import type { FieldSlot, MetadataFields } from './metadata.ts';

const REFUSING = KIND_NAMES.filter((kind) => kindOf(kind).refuses !== undefined);
const HOLDING = KIND_NAMES.filter((kind) => kindOf(kind).holdsScores);

export const controlSchema = z
  .object({
    kind: z.enum(KIND_NAMES),
    scope: z.string(),
    value: controlValueSchema.nullable().meta({ description: 'Null: the kind has none.' }),
    reason: z.string().meta({ description: 'For colleagues; clients do not see it.' }),
    message: z.string().nullable().meta({ description: 'What refused clients read.' }),
    set_by: z.string().meta({
      description: '`environment`: a variable of the API process, which `reason` names.',
    }),
    set_at: z.iso.datetime(),
    ends_at: z.iso.datetime().nullable().meta({ description: 'Null: until somebody ends it.' }),
    version: z.int().meta({ description: 'Ascends by one a change of any control.' }),
  })
  .meta({ id: 'Control' });
export type Control = z.output<typeof controlSchema>;

/** The controls of a market, its metadata fields and the settings of its corridors, as they were read. */
export type Controls = {
  readonly version: number;
  /** Controls that have not ended, by kind and scope; a kind without one is absent. */
  readonly inForce: ReadonlyMap<string, ReadonlyMap<string, Control>>;
  /** The settings of every corridor of the market. */
  readonly settings: ReadonlyMap<string, CorridorSettings>;
  readonly fields: MetadataFields;
  /** Features behind the fixed ones of a vector. */
  readonly slots: readonly FieldSlot[];
  /** The market of each corridor that another market has. */
  readonly elsewhere: ReadonlyMap<string, string>;
};

export const byKind = (all: readonly Control[]): Controls['inForce'] =>
  new Map(
    [...Map.groupBy(all, ({ kind }) => kind)].map(([kind, own]) => [
      kind,
      new Map(own.map((control) => [control.scope, control])),
    ]),
  );

export const listControls = ({ inForce }: Controls): Control[] =>
  [...inForce.values()].flatMap((ofKind) => [...ofKind.values()]);

/** The name of a control, in messages and as the subject of the audit log: `freeze:corridor:US-EG`. */
export const nameOf = ({ kind, scope }: Pick<Control, 'kind' | 'scope'>) => `${kind}:${scope}`;

/** Adds what the environment of this process stops. A scope that people have stopped as well keeps their words. */
export function withEnvironment(controls: Controls, ofEnvironment: readonly Control[]): Controls {
  return { ...controls, inForce: byKind([...ofEnvironment, ...listControls(controls)]) };
}

/** The widest control of a kind that covers a corridor, or the market where it is null. */
export function controlOf(
  { inForce }: Controls,
  kind: Kind,
  corridor: string | null,
): Control | undefined {
  const ofKind = inForce.get(kind);
  if (ofKind === undefined) return undefined;
  const own = corridor === null ? undefined : corridorScope(corridor);
  return ofKind.get('all') ?? ofKind.get(MARKET) ?? ofKind.get(own ?? '');
}

function firstOf(controls: Controls, kinds: readonly Kind[], corridor: string | null) {
  if (controls.inForce.size === 0) return undefined;
  for (const kind of kinds) {
    const found = controlOf(controls, kind, corridor);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The control by which submissions of a corridor are refused. */
export const refusedBy = (controls: Controls, corridor: string | null) =>
  firstOf(controls, REFUSING, corridor);

/** The control by which no score of a corridor is stored. */
export const stopOf = (controls: Controls, corridor: string | null) =>
  firstOf(controls, HOLDING, corridor);

/** The widest freeze of a corridor, or of the market where it is null. */
export const freezeOf = (controls: Controls, corridor: string | null) =>
  controlOf(controls, 'freeze', corridor);

export const hasFreeze = ({ inForce }: Controls) => inForce.has('freeze');

/** Codes of the rules that are stopped. */
export function rulesStopped({ inForce }: Controls): string[] {
  return [...(inForce.get('stop')?.keys() ?? [])].flatMap((scope) =>
    scope.startsWith(RULE) ? [scope.slice(RULE.length)] : [],
  );
}

const isInForce = ({ inForce }: Controls, kind: Kind, model: string) =>
  inForce.get(kind)?.has(MODEL + model) === true;

export const isModelOn = (controls: Controls, name: string) => !isInForce(controls, 'stop', name);

/**
 * The models of a line that may decide. A stopped model leaves its turn to the next model, and a model whose policy is stopped or
 * not in force leaves its turn to the rules. A model that did not pass (null) stays in the line, so that scores say so.
 */
export function decidingIn<
  Model extends { readonly name: string; readonly under: string | null } | null,
>(controls: Controls, line: readonly Model[]): readonly Model[] {
  const isOver = (policy: string) =>
    !isModelOn(controls, policy) || !isInForce(controls, 'scorecard', policy);
  const end = line.findIndex((model) => model?.under != null && isOver(model.under));
  const left = end < 0 ? line : line.slice(0, end);
  return left.filter((model) => model === null || isModelOn(controls, model.name));
}

/** Longer: clients stay away from a scope that is open again. Shorter: more requests come that are refused. */
const RETRY_SECONDS = 5;

export function retryAfterSeconds({ ends_at }: Pick<Control, 'ends_at'>, nowMs: number): number {
  const leftMs = ends_at === null ? Number.POSITIVE_INFINITY : Date.parse(ends_at) - nowMs;
  return Math.max(1, Math.min(RETRY_SECONDS, Math.ceil(leftMs / 1000)));
}

/** Marks an answer or an event about a transaction while its corridor is frozen: no value may be released. */
export function withReleases<Told extends { readonly corridor: string }>(
  controls: Controls,
  told: Told,
): Told & { readonly releases_held?: boolean } {
  if (freezeOf(controls, told.corridor) === undefined) return told;
  return { ...told, releases_held: true };
}

export const releasesField = z.boolean().optional().meta({
  description:
    'True while a freeze of the corridor or the market is in force: release no value. Absent otherwise. It is no part of what is stored.',
});

/** The control that sets the level of a corridor by hand, or of the market where it is null. */
export const levelControl = (controls: Controls, corridor: string | null) =>
  firstOf(controls, ['emergency', 'read-only'], corridor);

/** The level that people have set. */
export function levelByHand(controls: Controls, corridor: string | null): 0 | 3 | 4 {
  const control = levelControl(controls, corridor);
  return (control && kindOf(control.kind).level) ?? 0;
}

/** The points that people have set; 0 where there are none. */
export const tightenedBy = (controls: Controls, corridor: string): number =>
  controlOf(controls, 'tighten', corridor)?.value?.points ?? 0;

/** The amount from which payments in a currency are reviewed. */
export type ManualFrom = { readonly amount: number; readonly currency: string };

/** Finds the amount by the currency of a payment; a payment in a currency without an exchange rate may be worth any amount. */
export function manualOf(
  controls: Controls,
  corridor: string,
): ((currency: string) => ManualFrom) | undefined {
  const amounts = controlOf(controls, 'manual', corridor)?.value?.amounts;
  if (amounts === undefined) return undefined;
  return (currency) => ({ amount: amounts[currency] ?? 0, currency });
}

/** The control that turns a flag off; undefined while the flag is on. */
export const offOf = ({ inForce }: Controls, flag: Flag): Control | undefined =>
  inForce.get('emergency')?.get(MARKET) ?? inForce.get('off')?.get(flagScope(flag));

/** The limits of these units. A throttle is taken beside the corridor's lasting limit, so it has a scope of its own. */
export const limitsOf = (controls: Controls, units: readonly LimitUnit[]): Limit[] =>
  listControls(controls).flatMap((control) => {
    const { limits: kind } = kindOf(control.kind);
    if (kind === undefined || !units.includes(kind)) return [];
    const { rate_per_second: ratePerSecond = 0, burst = 0 } = control.value ?? {};
    const scope = control.kind === 'throttle' ? nameOf(control) : control.scope;
    return { scope, kind, ratePerSecond, burst };
  });

/** The scope by which a throttle is taken. */
export const throttleScope = (corridor: string) =>
  nameOf({ kind: 'throttle', scope: corridorScope(corridor) });
