/** Asks what all cases of a ring are, and why. */
import { useState } from 'react';
import { DISPOSITIONS, type Disposition } from './dispositions.ts';
import { ReasonDialog } from './reason-dialog.tsx';
import { countOf, RING_CASES_MAX, type RingOf } from './rings.ts';

type RingDialogProps = {
  readonly ring: RingOf;
  readonly onDecide: (disposition: Disposition, reason: string) => void;
  readonly onClose: () => void;
};

export function RingDialog({ ring, onDecide, onClose }: RingDialogProps) {
  const [disposition, setDisposition] = useState<Disposition>('fraud');
  const cases = Math.min(ring.cases, RING_CASES_MAX);
  return (
    <ReasonDialog
      title={`Decide ${countOf(ring)} cases at once`}
      action={`Decide ${cases} as ${disposition}`}
      isDangerous
      onSend={(reason) => onDecide(disposition, reason)}
      onClose={onClose}
    >
      <p>
        All open cases of {ring.party} <strong className="anywhere">{ring.id}</strong> get the same
        decision, at most {RING_CASES_MAX} at once. Cases that others have stay with them, and those
        of high value wait for a second person.
      </p>
      <fieldset className="segments" aria-label="Decision">
        {DISPOSITIONS.map(({ name, title }) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === disposition}
            onClick={() => setDisposition(name)}
          >
            {title}
          </button>
        ))}
      </fieldset>
    </ReasonDialog>
  );
}
