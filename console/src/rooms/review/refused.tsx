/** Why a step was refused, in plain words, and a way on. */
import { Link } from 'wouter';
import { Refusal } from '../../api/ask.ts';
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
  readonly onClose: () => void;
};

export function Refused({ error, onNext, onClose }: RefusedProps) {
  const status = error instanceof Refusal ? error.status : 0;
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
