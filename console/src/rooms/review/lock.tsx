/** The person who has the case, and the time left; a lock is extended while its holder uses the page. */
import { useEffect, useRef } from 'react';
import type { ReviewCaseDetail } from '../../../../src/kit/client/api-types.ts';
import { useSecond } from '../../api/clock.ts';
import { lastUseMs } from '../../api/presence.ts';
import { serverMs } from '../../api/server-time.ts';
import { timeLeft } from '../../format.ts';
import { type Standing, usePolicy } from './cases.ts';
import { type Step, steps, useStep } from './steps.ts';

/** A lock is extended once this share of it is used up. */
const SHARE_USED = 1 / 3;
/** Less is left: the page says so. */
const SOON_MS = 60_000;
const LOOK_EVERY_MS = 1000;

type LockProps = {
  readonly one: ReviewCaseDetail;
  readonly standing: Standing;
  readonly isBusy: boolean;
  readonly run: (step: Step) => void;
  /** Absent where a refusal has the same button. */
  readonly onNext: (() => void) | undefined;
};

export function Lock({ one, standing, isBusy, run, onNext }: LockProps) {
  const id = one.transaction_id;
  const second = useSecond();
  const leftMs = Date.parse(one.locked_until ?? '') - second;
  // The lock stood on the case when the case was read, and has expired since.
  const wasLocked = one.state === 'claimed' && standing.kind === 'free';
  if (standing.kind === 'mine') {
    return (
      <Held id={id} until={one.locked_until ?? ''}>
        <p className="row lock">
          <span className={leftMs < SOON_MS ? 'late' : ''}>
            You have it for <span className="seconds">{timeLeft(Math.max(0, leftMs))}</span>
          </span>
          {leftMs < SOON_MS ? (
            <button type="button" disabled={isBusy} onClick={() => run(() => steps.keep(id))}>
              Keep it
            </button>
          ) : null}
          <button type="button" disabled={isBusy} onClick={() => run(() => steps.release(id))}>
            Release
          </button>
        </p>
      </Held>
    );
  }
  if (standing.kind === 'free') {
    return (
      <p className="row lock">
        <span>{wasLocked ? 'The claim has expired: anybody may take it.' : 'Nobody has it.'}</span>
        <button
          type="button"
          className="primary"
          disabled={isBusy}
          onClick={() => run(() => steps.claim(id))}
        >
          {wasLocked ? 'Claim again' : 'Claim'} <kbd>c</kbd>
        </button>
      </p>
    );
  }
  if (standing.kind !== 'others') return null;
  return (
    <p className="row lock">
      <span>
        {standing.why}
        {leftMs > 0 ? <span className="muted"> For {timeLeft(leftMs)}.</span> : null}
      </span>
      {onNext === undefined ? null : (
        <button type="button" onClick={onNext}>
          Next case <kbd>n</kbd>
        </button>
      )}
    </p>
  );
}

type HeldProps = {
  readonly id: string;
  readonly until: string;
  readonly children: React.ReactNode;
};

/** Extends the lock when the page was used since it was last extended, and enough of it has passed. */
function Held({ id, until, children }: HeldProps) {
  const lockSeconds = usePolicy().data?.policy.lock_seconds;
  const extendedAtMs = useRef(0);
  const { mutate, isPending } = useStep();
  useEffect(() => {
    const timer = setInterval(() => {
      const leftMs = Date.parse(until) - serverMs();
      const isDue = lockSeconds !== undefined && leftMs < lockSeconds * 1000 * (1 - SHARE_USED);
      if (!isDue || isPending || document.hidden || lastUseMs() < extendedAtMs.current) return;
      extendedAtMs.current = Date.now();
      mutate(() => steps.keep(id));
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [id, until, lockSeconds, isPending, mutate]);
  return children;
}
