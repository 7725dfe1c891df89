/**
 * People who work on the queue under faults: an analyst claims the next case and decides it, a risk officer confirms where
 * that is needed, and some decisions are taken back. What they were answered goes into the ledger.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DISPOSITIONS, type Disposition } from '../../../src/core/domain/disposition.ts';
import type { Random } from '../../../src/kit/random.ts';
import type { CaseJson } from '../../../src/rooms/review/case.ts';
import { insertPersonKey } from '../../support/people.ts';
import type { Stage } from './scenario.ts';

const ANALYSTS = 3;
const UNDONE_SHARE = 0.4;
const PAUSE_MS = 50;
const ANSWER_MS_MAX = 5000;
const NONE = 'none';

export type Reviewers = {
  /** Decisions that stand, as far as their reviewers know; and those taken back. */
  readonly counts: { decided: number; undone: number };
  /** Ends when no case waits, or `stop` was called. */
  readonly done: Promise<unknown>;
  readonly stop: () => void;
};

/** Undefined: the answer did not come; the step may have been taken. */
type Ask = (path: string, body?: object) => Promise<CaseJson | null | undefined>;

export async function startReviewers(stage: Stage): Promise<Reviewers> {
  const sql = stage.services.query;
  const officer = askAs(stage, await insertPersonKey({ sql }, 'Officer', ['risk_officer']));
  const counts = { decided: 0, undone: 0 };
  const end = new AbortController();
  const work = async (nth: number) => {
    const key = await insertPersonKey({ sql }, `Analyst ${nth}`, ['analyst']);
    await review(stage, { analyst: askAs(stage, key), officer, counts, end: end.signal });
  };
  const done = Promise.all(Array.from({ length: ANALYSTS }, (_, nth) => work(nth)));
  done.catch(() => undefined);
  return { counts, done, stop: () => end.abort() };
}

function askAs({ engine, signal }: Stage, key: string): Ask {
  return async (path, body = {}) => {
    try {
      const answer = await fetch(`${engine.apiUrls[0]}/v1/reviews/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      const text = await answer.text();
      if (answer.ok) return path === 'next' ? JSON.parse(text).case : JSON.parse(text);
      // A refusal under load or by state changes nothing; anything else may have.
      return answer.status === 409 || answer.status === 429 ? null : undefined;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  };
}

type Work = {
  readonly analyst: Ask;
  readonly officer: Ask;
  readonly counts: Reviewers['counts'];
  readonly end: AbortSignal;
};

async function review(stage: Stage, { analyst, officer, counts, end }: Work): Promise<void> {
  const { random, ledger, signal } = stage;
  const note = (id: string, ...may: string[]) => ledger.note({ kind: 'reviewed', id, may });
  while (!end.aborted && !signal.aborted) {
    const id = (await analyst('next'))?.transaction_id;
    if (id === undefined) {
      await delay(PAUSE_MS);
      continue;
    }
    const disposition = draw(random);
    const decide = async () => {
      note(id, NONE, disposition);
      const decided = await analyst(`${id}/decide`, { disposition, reason: 'seen' });
      const stands = decided?.state === 'confirming' ? await officer(`${id}/confirm`) : decided;
      if (stands != null) note(id, disposition);
      return stands;
    };
    if ((await decide()) == null) continue;
    counts.decided++;
    if (random() > UNDONE_SHARE) continue;
    note(id, NONE, disposition);
    const undone = await analyst(`${id}/undo`);
    if (undone === null) note(id, disposition);
    if (undone == null) continue;
    note(id, NONE);
    counts.undone++;
  }
}

const draw = (random: Random): Disposition =>
  DISPOSITIONS[Math.floor(random() * DISPOSITIONS.length)] ?? 'unsure';
