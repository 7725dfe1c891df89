/** The steps that a case allows now, by button and by key. */
import { type ReactNode, useEffect, useState } from 'react';
import type { Me, ReviewCase, ReviewCaseDetail } from '../../../../src/kit/client/api-types.ts';
import { useSecond } from '../../api/clock.ts';
import { useWish } from '../../api/follow-up.ts';
import { money } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { ReasonDialog } from '../../parts/reason-dialog.tsx';
import { Waiting } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { Assign } from './assign.tsx';
import { isOfficer, nameOf, standingOf } from './cases.ts';
import { DISPOSITIONS, type Disposition, TEMPLATES } from './dispositions.ts';
import { Lock } from './lock.tsx';
import { Made } from './made.tsx';
import { Refused } from './refused.tsx';
import { SecondPerson } from './second-person.tsx';
import { isDone, type Step, steps, useStep } from './steps.ts';
import { offerUndo } from './undo-store.ts';

type Asked = Disposition | 'escalate' | 'return';

/** A step whose answer was lost. */
type Lost = { readonly asked: Asked; readonly reason: string };

type DecisionProps = {
  readonly one: ReviewCaseDetail;
  readonly me: Me;
  readonly onNext: () => void;
};

export function Decision({ one, me, onNext }: DecisionProps) {
  const id = one.transaction_id;
  const standing = standingOf(one, me, useSecond());
  const [asked, setAsked] = useState<Asked>();
  const [lost, setLost] = useState<Lost>();
  const step = useStep();
  const wish = useWish();
  const run = (what: Step, then?: (now: ReviewCase) => void) => {
    if (step.isPending) return;
    setLost(undefined);
    step.mutate(what, { onSuccess: (now) => then?.(now) });
  };
  const isOpen = standing.kind === 'mine' || standing.kind === 'free';
  const claim = (then?: () => void) => {
    if (standing.kind === 'free') run(() => steps.claim(id), then);
  };
  /** A case that nobody has is claimed first, so that no two people write their reasons at once. */
  const askFor = (what: Asked) => {
    if (standing.kind === 'mine') setAsked(what);
    wish.make();
    claim(() => wish.holds() && setAsked(what));
  };
  const decided = (now: ReviewCase) =>
    offerUndo({ cases: [now], what: sentenceOf(now), about: transactionOf(now) });
  const send = async (what: Asked, reason: string) => {
    setLost({ asked: what, reason });
    const now = await step.mutateAsync(stepOf(what, id, reason, nameOf(me)));
    if (isDecision(what)) decided(now);
  };
  useStored(step.isError ? lost : undefined, one, nameOf(me), (what) => {
    setAsked(undefined);
    step.reset();
    if (isDecision(what)) decided(one);
  });
  useShortcuts({
    ...Object.fromEntries(DISPOSITIONS.map(({ name, key }) => [key, () => askFor(name)])),
    e: () => askFor('escalate'),
    c: () => claim(),
  });
  return (
    <Part title="Decision" aside={step.isPending ? WAITING : undefined}>
      {step.error === null || asked !== undefined ? null : (
        <Refused
          error={step.error}
          onNext={onNext}
          onAgain={lost && (() => setAsked(lost.asked))}
          onClose={step.reset}
        />
      )}
      <Lock
        one={one}
        standing={standing}
        isBusy={step.isPending}
        run={run}
        onNext={step.error === null ? onNext : undefined}
      />
      {isOpen || standing.kind === 'others' ? (
        <Choices isOpen={isOpen && !step.isPending} one={one} onAsk={askFor}>
          {isOfficer(me) ? <Assign one={one} isBusy={step.isPending} run={run} /> : null}
        </Choices>
      ) : (
        <Made
          one={one}
          me={me}
          isBusy={step.isPending}
          onConfirm={() => run(() => steps.confirm(id), decided)}
          onReturn={() => setAsked('return')}
          onUndo={() =>
            run(
              () => steps.undo(id),
              () => offerUndo(undefined),
            )
          }
        />
      )}
      {asked === undefined ? null : (
        <ReasonDialog
          {...WORDS[asked]}
          templates={templatesOf(asked)}
          onSend={(reason) => send(asked, reason)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Part>
  );
}

type ChoicesProps = {
  readonly isOpen: boolean;
  readonly one: ReviewCaseDetail;
  readonly onAsk: (what: Asked) => void;
  /** Behind the button that escalates. */
  readonly children: ReactNode;
};

function Choices({ isOpen, one, onAsk, children }: ChoicesProps) {
  return (
    <>
      <div className="choices">
        {DISPOSITIONS.map(({ name, key, title }) => (
          <button
            key={name}
            type="button"
            className={`choice ${name}`}
            disabled={!isOpen}
            onClick={() => onAsk(name)}
          >
            {title} <kbd>{key}</kbd>
          </button>
        ))}
      </div>
      <SecondPerson one={one} />
      <div className="row">
        <button type="button" disabled={!isOpen} onClick={() => onAsk('escalate')}>
          Escalate <kbd>e</kbd>
        </button>
        {children}
      </div>
    </>
  );
}

const WAITING = <Waiting className="muted small">Waiting for the API …</Waiting>;

const isDecision = (asked: Asked): asked is Disposition => asked in TEMPLATES;
const templatesOf = (asked: Asked) => (isDecision(asked) ? TEMPLATES[asked] : []);

const stepOf =
  (asked: Asked, id: string, reason: string, me: string): Step =>
  () => {
    if (isDecision(asked)) return steps.decide(id, { disposition: asked, reason }, me);
    return asked === 'escalate' ? steps.escalate(id, reason, me) : steps.giveBack(id, reason, me);
  };

/** Calls once a later reading of the case shows that a step without an answer is stored. */
function useStored(
  lost: Lost | undefined,
  one: ReviewCaseDetail,
  me: string,
  onStored: (what: Asked) => void,
): void {
  const isStored = lost !== undefined && isMade(lost, one, me);
  // biome-ignore lint/correctness/useExhaustiveDependencies: called once a lost step
  useEffect(() => {
    if (isStored) onStored(lost.asked);
  }, [isStored]);
}

function isMade({ asked, reason }: Lost, one: ReviewCaseDetail, me: string): boolean {
  if (isDecision(asked)) return isDone.decide({ disposition: asked, reason }, me)(one);
  return asked === 'escalate' ? isDone.escalate(me)(one) : isDone.giveBack(me)(one);
}

const WORDS = {
  fraud: { title: 'Decide: fraud', action: 'Fraud', isDangerous: true },
  legitimate: { title: 'Decide: legitimate', action: 'Legitimate' },
  unsure: { title: 'Decide: unsure', action: 'Unsure' },
  escalate: { title: 'Leave it to a risk officer', action: 'Escalate' },
  return: { title: 'Give it back: it is open again', action: 'Give it back' },
} as const;

/** The decision and its transaction, in a sentence. */
export function sentenceOf(one: ReviewCase): string {
  const { decision, state } = one;
  const what = `${decision?.disposition ?? 'decided'}: ${transactionOf(one)}`;
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  return state === 'confirming'
    ? `${sentence}; a second person (risk officer) has to confirm it`
    : sentence;
}

const transactionOf = ({ account_id, amount, currency }: ReviewCase) =>
  `${account_id}, ${money(amount, currency)}`;
