/** Promises about events, and about what the reconciler appends. */
import type { DisasterKind, Operation, Schedule } from './schedule.ts';
import type { World } from './world.ts';

/** Disasters that take entries that were delivered, or what is known of the entries. */
const LOSING: readonly DisasterKind[] = ['wipe', 'rollback', 'spoil'];

/**
 * Each acknowledged entry has at most one event, equal to the stored score. A transaction has at least one event unless Redis was
 * lost, and no second one where nothing failed.
 */
export function checkEvents({ journal, postgres, schedule }: World): string[] {
  const breaches: string[] = [];
  const published = new Set(
    journal.events.map(({ entryId, event }) => `${entryId} ${event.transactionId}`),
  );
  if (published.size < journal.events.length) breaches.push('two events of one entry');
  const told = new Map<string, number>();
  for (const { event } of journal.events) {
    const id = event.transactionId;
    told.set(id, (told.get(id) ?? 0) + 1);
    const score = postgres.scores.get(id);
    if (score?.score !== event.score || score.verdict !== event.verdict) {
      breaches.push(`an event unlike its score: ${id}`);
    }
  }
  const isLost = schedule.disasters.some(({ kind }) => LOSING.includes(kind));
  for (const id of postgres.scores.keys()) {
    const count = told.get(id) ?? 0;
    // Not promised: the event of a score whose entry another worker had given up meanwhile.
    const wasDead = postgres.deadLetters.some((row) => row.transactionId === id);
    if (count === 0 && !isLost && !wasDead) breaches.push(`no event: ${id}`);
    const entriesMax = journal.appends.get(id) ?? 0;
    if (count > entriesMax) breaches.push(`${count} events of ${entriesMax} entries: ${id}`);
    if (count > 1 && isUntroubled(schedule))
      breaches.push(`${count} events, nothing failed: ${id}`);
  }
  return breaches;
}

/** Operations that leave the reconciler in doubt about an append, or move entries while it reads. */
const DOUBTED: readonly Operation[] = [
  'accept',
  'append',
  'setLeft',
  'listLeft',
  'settle',
  'promote',
];
const UNDOUBTED: readonly DisasterKind[] = [
  'crash',
  'freeze',
  'stop',
  'evict-profiles',
  'redis-full',
];

/** The reconciler appends nothing that waits, unless it cannot know. */
export function checkDoubled({ journal, schedule: { faults, disasters } }: World): string[] {
  const isSure =
    faults.every(({ operation }) => !DOUBTED.includes(operation)) &&
    disasters.every(({ kind }) => UNDOUBTED.includes(kind));
  return isSure && journal.doubled > 0
    ? [`appended again, though they waited: ${journal.doubled}`]
    : [];
}

const HARMLESS: readonly DisasterKind[] = ['append-again', 'evict-profiles', 'redis-full'];

function isUntroubled({ submissions, faults, disasters }: Schedule): boolean {
  return (
    faults.length === 0 &&
    disasters.every(({ kind }) => HARMLESS.includes(kind)) &&
    submissions.every(({ nature }) => nature === 'good')
  );
}
