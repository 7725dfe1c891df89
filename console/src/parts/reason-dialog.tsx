/** Asks for the required reason of a step; Enter sends the reason. If no answer comes, the dialog stays open with the reason. */
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useId, useRef, useState } from 'react';
import { Refusal } from '../api/ask.ts';
import { clock } from '../format.ts';
import { Modal } from './dialog.tsx';

/** The words for a step whose answer was lost: dialog and page say the same. */
export const UNANSWERED =
  'No answer came, so whether it is stored is unknown. Send it again: the same step is never done twice.';

/** The limit of the API. */
const REASON_CHARS_MAX = 1000;
/** Reasons that were sent, kept until the step succeeds, whether the dialog is closed or not. */
const drafts = new Map<string, string>();

type ReasonDialogProps = {
  readonly title: string;
  readonly action: string;
  readonly isDangerous?: boolean;
  /** True until everything else that the step needs is chosen. */
  readonly isBlocked?: boolean;
  readonly charsMax?: number;
  /** Sentences that a click adds to the reason. */
  readonly templates?: readonly string[];
  /** Facts that the person should know before the step. */
  readonly children?: ReactNode;
  /**
   * Sends the step and shows a refusal. The step must have a deadline, because the dialog stays until it ends, and be
   * idempotent, because people repeat it when no answer came.
   */
  readonly onSend: (reason: string) => Promise<unknown>;
  readonly onClose: () => void;
};

export function ReasonDialog(props: ReasonDialogProps) {
  const { title, action, isDangerous, isBlocked = false, onSend, onClose } = props;
  const { charsMax = REASON_CHARS_MAX, templates = [], children } = props;
  // The path names the case, so that drafts of different cases stay apart.
  const key = `${location.pathname} ${title}`;
  const [reason, setReason] = useState(drafts.get(key) ?? '');
  const [trouble, setTrouble] = useState<string>();
  const [isLacking, setLacking] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const fieldId = useId();
  const text = reason.trim();
  const { mutate, isPending } = useMutation({
    mutationFn: onSend,
    networkMode: 'always',
    onMutate: (sent) => {
      drafts.set(key, sent);
      return Date.now();
    },
    onSuccess: () => {
      drafts.delete(key);
      onClose();
    },
    onError: (error, _sent, sentAtMs) => {
      if (isRefused(error)) onClose();
      else setTrouble(troubleOf(error, sentAtMs ?? Date.now()));
    },
  });
  const write = (written: string) => {
    if (drafts.has(key)) drafts.set(key, written);
    setReason(written);
  };
  const isReady = text !== '' && !isPending && !isBlocked;
  return (
    <Modal title={title} isHeld={isPending} onClose={onClose}>
      {children}
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) mutate(text);
        }}
      >
        <label htmlFor={fieldId}>Reason</label>
        <input
          id={fieldId}
          ref={field}
          required
          readOnly={isPending}
          maxLength={charsMax}
          value={reason}
          autoComplete="off"
          placeholder="What you saw, in a sentence"
          onChange={({ target }) => write(target.value)}
          // A button that is disabled keeps the form from being sent.
          onKeyDown={({ key }) => key === 'Enter' && setLacking(true)}
        />
        {isLacking && text === '' ? (
          <p className="error" role="alert">
            A reason is needed: say what you saw.
          </p>
        ) : null}
        {templates.length === 0 ? null : (
          <div className="templates">
            {templates.map((sentence) => (
              <button
                key={sentence}
                type="button"
                className="template"
                disabled={isPending}
                onClick={() => {
                  write([text, sentence].filter(Boolean).join(' ').slice(0, charsMax));
                  field.current?.focus();
                }}
              >
                {sentence}
              </button>
            ))}
          </div>
        )}
        {trouble === undefined ? null : (
          <p className="unanswered" role="alert">
            {trouble}
          </p>
        )}
        <div className="row end">
          <button type="button" disabled={isPending} onClick={onClose}>
            {trouble === undefined ? 'Cancel' : 'Close'}
          </button>
          <button type="submit" className={isDangerous ? 'danger' : 'primary'} disabled={!isReady}>
            {isPending ? 'Sending …' : trouble === undefined ? action : `${action}: send again`}
          </button>
        </div>
      </form>
    </Modal>
  );
}

/** Whether a repetition of the request would also be refused. */
const isRefused = (error: Error) =>
  error instanceof Refusal && error.status < 500 && error.status !== 429;

function troubleOf(error: Error, sentAtMs: number): string {
  if (error instanceof Refusal) return `Sent at ${clock(sentAtMs)}, and not done: ${error.message}`;
  return navigator.onLine
    ? `Sent at ${clock(sentAtMs)}. ${UNANSWERED}`
    : `Not sent: at ${clock(sentAtMs)} this browser had no network.`;
}
