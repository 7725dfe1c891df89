/**
 * A field for an expression: a plain text area with a list of names. Arrows choose, Enter or Tab takes, Esc closes, Ctrl and
 * Space open the list, and a problem leads to its place in the text.
 */
import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react';
import type { CatalogueName } from '../../../../src/kit/client/api-types.ts';
import { accept, type Completion, complete, offsetOf, wordBefore } from './complete.ts';
import type { Problem } from './source.ts';

type ExpressionFieldProps = {
  readonly label: string;
  readonly value: string;
  readonly names: readonly CatalogueName[];
  readonly problems: readonly Problem[];
  readonly onChange: (value: string) => void;
  readonly isFirst?: boolean;
};

type List = { readonly items: readonly Completion[]; readonly at: number };

/** The names that are offered at the caret, and how one of them is taken. */
function useCompletion({ value, names, onChange }: ExpressionFieldProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [list, setList] = useState<List>();
  // The caret is set once the text with the completion is drawn.
  const caret = useRef<number>(undefined);
  useLayoutEffect(() => {
    if (caret.current === undefined || area.current?.value !== value) return;
    area.current.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  }, [value]);
  const offer = (text: string, at: number, isAsked = false) => {
    const word = wordBefore(text, at);
    const items = word === '' && !isAsked ? [] : complete(names, word);
    setList(items.length === 0 ? undefined : { items, at: 0 });
  };
  const take = (completion: Completion | undefined) => {
    const { current } = area;
    if (current === null || completion === undefined) return;
    const taken = accept(value, current.selectionStart, completion);
    caret.current = taken.caret;
    setList(undefined);
    current.focus();
    onChange(taken.text);
  };
  const close = () => setList(undefined);
  /** @returns whether the key was the list's */
  const onListKey = (key: string, { items, at }: List): boolean => {
    const by = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? items.length - 1 : 0;
    if (by !== 0) setList({ items, at: (at + by) % items.length });
    if (key === 'Enter' || key === 'Tab') take(items[at]);
    if (key === 'Escape') close();
    return by !== 0 || ['Enter', 'Tab', 'Escape'].includes(key);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const { key, ctrlKey, currentTarget } = event;
    const isAsked = ctrlKey && key === ' ';
    if (isAsked) offer(value, currentTarget.selectionStart, true);
    else if (list === undefined || !onListKey(key, list)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return { area, list, offer, take, close, onKeyDown };
}

export function ExpressionField(props: ExpressionFieldProps) {
  const { label, value, problems, onChange, isFirst } = props;
  const id = useId();
  const { area, list, offer, take, close, onKeyDown } = useCompletion(props);
  const goTo = ({ line, column }: Problem) => {
    const at = offsetOf(value, line ?? 1, column ?? 1);
    area.current?.focus();
    area.current?.setSelectionRange(at, value.slice(at).search(/[^\w.]|$/) + at);
  };
  return (
    <div className={problems.length > 0 ? 'field expression wrong' : 'field expression'}>
      <label htmlFor={id}>{label}</label>
      <textarea
        ref={area}
        id={id}
        className="mono"
        rows={Math.max(2, value.split('\n').length)}
        value={value}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        data-first={isFirst ? '' : undefined}
        aria-invalid={problems.length > 0}
        aria-describedby={`${id}-problems`}
        aria-autocomplete="list"
        aria-controls={list && `${id}-list`}
        aria-activedescendant={list && `${id}-${list.at}`}
        onChange={({ target }) => {
          onChange(target.value);
          offer(target.value, target.selectionStart);
        }}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      {list === undefined ? null : <Names id={id} list={list} onTake={take} />}
      <Problems id={`${id}-problems`} problems={problems} onGo={goTo} />
    </div>
  );
}

type NamesProps = {
  readonly id: string;
  readonly list: List;
  readonly onTake: (completion: Completion) => void;
};

function Names({ id, list: { items, at }, onTake }: NamesProps) {
  return (
    <div className="completions" id={`${id}-list`} role="listbox" aria-label="Names">
      {items.map((one, nth) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the text area has the focus and the keys
        // biome-ignore lint/a11y/useFocusableInteractive: as above
        <div
          key={one.name}
          id={`${id}-${nth}`}
          role="option"
          aria-selected={nth === at}
          // The text area does not lose the focus.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(one)}
        >
          <code>{one.name}</code>
          <span className="muted small">{one.note}</span>
        </div>
      ))}
    </div>
  );
}

type ProblemsProps = {
  readonly id?: string;
  readonly problems: readonly Problem[];
  /** Absent where the field has no lines. */
  readonly onGo?: (problem: Problem) => void;
};

/** Problems of a field, in the words of the API. */
export function Problems({ id, problems, onGo }: ProblemsProps) {
  return (
    <ul className="problems" id={id} aria-live="polite">
      {problems.map((one) => (
        <li key={one.pointer + one.detail}>
          {one.line === null || onGo === undefined ? (
            one.detail
          ) : (
            <>
              <button type="button" className="link" onClick={() => onGo(one)}>
                line {one.line}, column {one.column}
              </button>
              : found {one.found}, allowed is {one.allowed}
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
