/** The words of a page in place of rows: that it loads, that there are none, or why it has none. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Refusal } from '../api/ask.ts';
import { useLastAnswer, useSilence } from '../api/contact.ts';

export function Loading({ what }: { readonly what: string }) {
  return (
    <output className="state" aria-busy="true">
      <span className="spinner" aria-hidden="true" />
      Loading {what} …
    </output>
  );
}

/** Shorter: words about waits that are over at once flicker. Longer: people wait without a word. */
const WORDLESS_MS = 1000;

type WaitingProps = { readonly className: string; readonly children: ReactNode };

/** Words about an action that is under way, once it takes longer than a moment. */
export function Waiting({ className, children }: WaitingProps) {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), WORDLESS_MS);
    return () => clearTimeout(timer);
  }, []);
  return isLong ? <output className={className}>{children}</output> : null;
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="state">
      <strong>{title}</strong>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  );
}

type TroubleProps = {
  readonly error: Error;
  /** Asks again; absent for what changes something, which only a person repeats. */
  readonly retry?: () => void;
  readonly onClose?: () => void;
};

/** A refusal in the API's own words, with each refused field, and a way to try again. */
export function Trouble({ error, retry, onClose }: TroubleProps) {
  const isSilent = useSilence() !== null;
  useRetry(error instanceof Refusal ? undefined : retry);
  const problem = error instanceof Refusal ? error.problem : undefined;
  // The same request would be refused again.
  const isFinal = error instanceof Refusal && error.status < 500 && error.status !== 429;
  return (
    <div className="state trouble" role="alert">
      <strong>
        {problem?.title ??
          (retry === undefined && !isSilent ? 'No answer came' : 'The API does not answer')}
      </strong>
      {problem?.errors === undefined ? (
        <p>
          {problem !== undefined
            ? error.message
            : retry === undefined
              ? 'What was sent may have been done all the same: look before you send it again.'
              : 'It may be restarting, or the network is away.'}
        </p>
      ) : (
        <ul>
          {problem.errors.map(({ pointer, detail }) => (
            <li key={pointer + detail}>
              <code>{pointer.slice(1)}</code> {detail}
            </li>
          ))}
        </ul>
      )}
      {problem === undefined ? null : <p className="small">Request {problem.instance}</p>}
      {retry === undefined || isFinal ? null : (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
      {onClose === undefined ? null : (
        <button type="button" onClick={onClose}>
          Close
        </button>
      )}
    </div>
  );
}

/** Tries again once the API answers. */
function useRetry(retry: (() => void) | undefined): void {
  const answeredAtMs = useLastAnswer();
  const knownMs = useRef(answeredAtMs);
  useEffect(() => {
    if (knownMs.current === answeredAtMs) return;
    knownMs.current = answeredAtMs;
    retry?.();
  }, [answeredAtMs, retry]);
}

type Result<Data> = {
  readonly data: Data | undefined;
  readonly error: Error | null;
  readonly refetch: () => unknown;
};

/** Shows what a query found, or that it is under way or refused. */
export function Found<Data>({
  query: { data, error, refetch },
  what,
  children,
}: {
  readonly query: Result<Data>;
  readonly what: string;
  readonly children: (data: Data) => ReactNode;
}) {
  if (data !== undefined) return children(data);
  if (error !== null) return <Trouble error={error} retry={() => void refetch()} />;
  return <Loading what={what} />;
}
