/** Why a step was refused, in plain words, and a way on. */
import { Link } from 'wouter';
import { Refusal } from '../../api/ask.ts';
import { UNANSWERED } from '../../parts/reason-dialog.tsx';
import { Trouble } from '../../parts/states.tsx';

/** The API's sentence begins with what stays as it was, which nobody asked. */
const PREFIX = /^the case stays as it is: /i;
export const sentence = (text: string) => {
  const plain = text.replace(PREFIX, '');
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}${plain.endsWith('.') ? '' : '.'}`;
};

type RefusedProps = {
  readonly error: Error;
  readonly onNext?: () => void;
  /** Opens the dialog whose step had no answer. */
  readonly onAgain?: (() => void) | undefined;
  readonly onClose: () => void;
};

export function Refused({ error, onNext, onAgain, onClose }: RefusedProps) {
  if (!(error instanceof Refusal)) return <Unanswered onAgain={onAgain} onClose={onClose} />;
  const { status } = error;
  if (status !== 403 && status !== 409) return <Trouble error={error} onClose={onClose} />;
  return (
    <div className="refused" role="alert">
      <p>
        {status === 403 ? (
          <>
            <strong>Your roles no longer allow this.</strong> Nothing was changed. The person who
            manages the keys can tell you why.
          </>
        ) : (
          <>
            <strong>{sentence(error.message)}</strong> Nothing was changed; the page shows the case
            as it is now.
          </>
        )}
      </p>
      <div className="row">
        {onNext === undefined || status === 403 ? null : (
          <button type="button" onClick={onNext}>
            Next case <kbd>n</kbd>
          </button>
        )}
        {status === 403 ? (
          <Link href="/">Go to your first page</Link>
        ) : (
          <Link href="/review">Go to the queue</Link>
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </div>
  );
}

function Unanswered({ onAgain, onClose }: Pick<RefusedProps, 'onAgain' | 'onClose'>) {
  return (
    <div className="refused" role="alert">
      <p>{UNANSWERED}</p>
      <div className="row">
        {onAgain === undefined ? null : (
          <button type="button" onClick={onAgain}>
            Send again …
          </button>
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </div>
  );
}
