/**
 * States of models and rule sets in a corridor, and what may follow. Pure: the log of rollouts in, the rows that a decision
 * appends out. The newest row of a subject in a corridor holds; a subject without a row is staged.
 *
 *     staged ─▶ shadow ◀─▶ canary n % ─▶ active ─▶ deprecated ─▶ shadow
 */
import { Failure } from '../../../kit/words/failure.ts';
import {
  type Holding,
  type LoggedRollout,
  PROPOSED_STATES,
  type ProposedHolding,
  type ProposedState,
  type Rollout,
} from './holding.ts';

type RolloutState = Holding['state'] | 'staged';

/** A step decides more than the step before. The rank of what decides nothing is 0. */
const rankOf = (state: RolloutState) => PROPOSED_STATES.indexOf(state as ProposedState) + 1;

export type Target = ProposedHolding & { readonly subject: string };

/** The state of each subject in a corridor, by its newest row, the newest last; absent subjects are staged. */
export function holdingsIn(log: readonly Rollout[], corridor: string): Map<string, Rollout> {
  const holdings = new Map<string, Rollout>();
  for (const row of log) {
    if (row.corridor !== corridor) continue;
    // Deleted first, so that the newest row is inserted last.
    holdings.delete(row.subject);
    holdings.set(row.subject, row);
  }
  return holdings;
}

/**
 * The rows of an approved proposal. A subject takes one step at a time; a step that it has taken in one
 * corridor is open to it in every other.
 * @param noun for the kind of subject
 * @throws Failure `ROLLOUT_REFUSED`
 */
export function planPromotion(
  log: readonly Rollout[],
  corridors: readonly string[],
  target: Target,
  noun = 'model',
): Rollout[] {
  const furthest = furthestOf(log, target.subject);
  if (rankOf(target.state) > rankOf(furthest) + 1) {
    refuse(`the ${noun} is ${furthest}: it goes by shadow and canary, one step at a time`);
  }
  const rows = corridors.flatMap((corridor) =>
    stepsIn(holdingsIn(log, corridor), corridor, target, noun),
  );
  if (rows.length === 0) refuse('nothing would change');
  return rows;
}

function stepsIn(
  holdings: ReadonlyMap<string, Rollout>,
  corridor: string,
  { subject, state, canary_percent }: Target,
  noun: string,
): Rollout[] {
  const now = holdings.get(subject);
  if (now?.state === state && now.canary_percent === canary_percent) return [];
  if (now?.state === 'active') {
    refuse(`the ${noun} is active in ${corridor}: roll it back, or make another one active`);
  }
  const rival = [...holdings].find(
    ([id, holding]) => id !== subject && holding.state === state,
  )?.[1];
  if (state === 'canary' && rival !== undefined) {
    const other = rival.name ?? rival.subject;
    refuse(`${corridor} has a canary already, ${other}: make it active or roll it back`);
  }
  const row: Rollout = { corridor, subject, state, canary_percent, cause: 'approval' };
  if (state !== 'active' || rival === undefined) return [row];
  return [{ ...ended(corridor, rival.subject), cause: 'displacement' }, row];
}

/**
 * The rows that roll the newest decision back in each corridor: a canary ends; else the active subject gives way
 * to the one that was active before it, or to none. With a subject only what that subject does is rolled back.
 * @throws Failure `ROLLOUT_REFUSED`
 */
export function planRollback(
  log: readonly Rollout[],
  corridors: readonly string[],
  subject?: string,
): Rollout[] {
  const rows = corridors.flatMap((corridor) => {
    if (subject !== undefined) {
      const isShadow = holdingsIn(log, corridor).get(subject)?.state === 'shadow';
      return isShadow ? [ended(corridor, subject)] : planRemoval(log, corridor, subject);
    }
    const canary = canaryIn(log, corridor);
    return canary === undefined ? giveWay(log, corridor) : [ended(corridor, canary)];
  });
  if (rows.length === 0) {
    refuse(
      subject === undefined
        ? 'there is neither a canary nor an active model'
        : `${subject} does nothing there`,
    );
  }
  return rows;
}

/** The rows that roll one subject back that decides in a corridor; none where it no longer decides. */
export function planRemoval(log: readonly Rollout[], corridor: string, subject: string): Rollout[] {
  if (canaryIn(log, corridor) === subject) return [ended(corridor, subject)];
  return activeIn(log, corridor).at(-1) === subject ? giveWay(log, corridor) : [];
}

function canaryIn(log: readonly Rollout[], corridor: string): string | undefined {
  return [...holdingsIn(log, corridor)].find(([, { state }]) => state === 'canary')?.[0];
}

/** Ends the active subject, and puts the earlier subject in force again. */
function giveWay(log: readonly Rollout[], corridor: string): Rollout[] {
  const history = activeIn(log, corridor);
  const active = history.at(-1);
  if (active === undefined) return [];
  const before = history.at(-2);
  const end = ended(corridor, active);
  return before === undefined ? [end] : [end, { ...end, subject: before, state: 'active' }];
}

/**
 * Subjects that became active in a corridor and were not rolled back, oldest first; the last one is active. A subject that one
 * person made active alone is left out once another follows, so a rollback never goes back to it.
 */
export function activeIn(log: readonly Rollout[], corridor: string): string[] {
  const subjects: string[] = [];
  let isAlone = false;
  for (const { subject, state, cause, ...row } of log) {
    if (row.corridor !== corridor) continue;
    const isLast = subjects.at(-1) === subject;
    if ((cause === 'approval' || cause === 'emergency') && state === 'active') {
      if (isAlone || isLast) subjects.pop();
      subjects.push(subject);
      isAlone = cause === 'emergency';
    }
    if (cause === 'rollback' && state === 'deprecated' && isLast) {
      subjects.pop();
      isAlone = false;
    }
  }
  return subjects;
}

/**
 * The rows of an emergency, which takes the steps that two people could approve. A corridor has no second emergency until
 * two people have decided there.
 * @throws Failure `ROLLOUT_REFUSED`
 */
export function planEmergency(
  log: readonly Rollout[],
  corridors: readonly string[],
  target: Target,
  noun = 'model',
): Rollout[] {
  for (const corridor of corridors) {
    const last = log.findLast(
      (row) => row.corridor === corridor && (row.cause === 'approval' || row.cause === 'emergency'),
    );
    if (last?.cause === 'emergency') {
      refuse(`${corridor} had an emergency that nobody has confirmed: two people decide next`);
    }
  }
  return planPromotion(log, corridors, target, noun).map((row) =>
    row.cause === 'approval' ? { ...row, cause: 'emergency' } : row,
  );
}

/** The rows that confirm an emergency wherever it is still in force. @throws Failure `ROLLOUT_REFUSED` */
export function planConfirmation(log: readonly LoggedRollout[], approvalId: string): Rollout[] {
  const rows = log.filter((row) => row.approval_id === approvalId && stands(log, row));
  if (rows.length === 0) refuse('the emergency is over: propose it again');
  return rows.map(({ corridor, subject, state, canary_percent }) => ({
    corridor,
    subject,
    state,
    canary_percent,
    cause: 'approval',
  }));
}

/** The rows that end the emergencies whose day is over. */
export function planLapses(log: readonly LoggedRollout[]): Rollout[] {
  const settled: Rollout[] = [...log];
  for (const row of log) {
    if (!row.hasLapsed || !isNewest(settled, row)) continue;
    const { corridor, subject } = row;
    const rows = planRemoval(settled, corridor, subject);
    settled.push(...(rows.length > 0 ? rows : [ended(corridor, subject)]));
  }
  return settled.slice(log.length);
}

function stands(log: readonly LoggedRollout[], row: LoggedRollout): boolean {
  return row.cause === 'emergency' && !row.hasLapsed && isNewest(log, row);
}

/** Whether a row is the newest of its subject in its corridor. */
function isNewest(log: readonly Rollout[], row: Rollout): boolean {
  const { corridor, subject } = row;
  return (
    log.findLast((logged) => logged.corridor === corridor && logged.subject === subject) === row
  );
}

/** The rows that put into shadow what the engine trained, instead of what the engine put there before. */
export const planOwnShadow = (
  log: readonly Rollout[],
  corridors: readonly string[],
  subject: string,
): Rollout[] =>
  corridors.flatMap((corridor) => [
    ...[...holdingsIn(log, corridor)]
      .filter(([, { cause }]) => cause === 'engine')
      .map(([id]) => ended(corridor, id)),
    { corridor, subject, state: 'shadow', canary_percent: 0, cause: 'engine' },
  ]);

/** The furthest state of a subject in any corridor; emergencies do not count. */
function furthestOf(all: readonly Rollout[], subject: string): RolloutState {
  const log = all.filter(({ cause }) => cause !== 'emergency');
  let furthest: RolloutState = 'staged';
  for (const corridor of new Set(log.map((row) => row.corridor))) {
    const state = holdingsIn(log, corridor).get(subject)?.state ?? 'staged';
    if (rankOf(state) > rankOf(furthest)) furthest = state;
  }
  return furthest;
}

function ended(corridor: string, subject: string): Rollout {
  return { corridor, subject, state: 'deprecated', canary_percent: 0, cause: 'rollback' };
}

function refuse(why: string): never {
  throw new Failure('conflict', 'ROLLOUT_REFUSED', why);
}
