/** A rule set by its rules: a draft of one's own is edited, checked and tried as it is typed; others are shown. */
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useRef, useState } from 'react';
import type { Me, RuleSetDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { count } from '../../format.ts';
import { Part } from '../../parts/page.tsx';
import { Trouble } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { nameOf } from '../review/cases.ts';
import { Changes } from './changes.tsx';
import { Conflict } from './conflict.tsx';
import { Problems } from './expression-field.tsx';
import { RuleForm } from './rule-form.tsx';
import { RuleList } from './rule-list.tsx';
import {
  bodyOf,
  newRule,
  otherProblems,
  problemsOfRule,
  type Source,
  withRules,
} from './source.ts';
import { ThresholdFields } from './threshold-fields.tsx';
import { Trial } from './trial.tsx';
import { sourceOf, useDraft, useTried } from './use-draft.ts';

type EditorProps = { readonly detail: RuleSetDetail; readonly me: Me };

export function Editor({ detail, me }: EditorProps) {
  const isWriter = has(me, 'analyst', 'risk_officer');
  const isMine = isWriter && detail.state === 'draft' && detail.author === nameOf(me);
  const draft = useDraft(detail);
  const { source, change, saved } = draft;
  const tried = useTried(source, saved, isWriter);
  const { problems, yesterday } = tried;
  const { at, open, form, list } = useOpened(source.rules.length);
  const add = () => {
    change({ ...source, rules: [...source.rules, newRule(source.rules)] });
    open(source.rules.length);
  };
  const canSave = isMine && draft.isChanged && !draft.save.isPending;
  const save = () => canSave && draft.save.mutate(source);
  useShortcuts(isMine ? { n: add, s: save } : {});
  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 's') {
      event.preventDefault();
      save();
    }
    if (event.key === 'Escape') focusRow(at);
  };
  return (
    <>
      <Part
        title={isMine ? 'Rules of the draft' : 'Rules'}
        aside={
          isMine ? (
            <Actions
              state={stateOf(draft.isChanged, problems.length, tried.isChecking)}
              isSaving={draft.save.isPending}
              onAdd={add}
              onSave={canSave ? save : undefined}
            />
          ) : null
        }
      >
        {draft.save.error === null || draft.conflict !== undefined ? null : (
          <Trouble error={draft.save.error} />
        )}
        <Problems problems={otherProblems(problems)} />
        {/* biome-ignore lint/a11y/noStaticElementInteractions: keys of the fields within */}
        <div className="editor" onKeyDown={onKeyDown}>
          <div className="editor-list" ref={list}>
            <RuleList {...{ rules: source.rules, problems, yesterday, opened: at, onOpen: open }} />
          </div>
          <div className="editor-form" ref={form}>
            <OpenedRule {...{ source, at, change, problems }} isReadOnly={!isMine} />
          </div>
        </div>
        <ThresholdFields
          verdicts={source.verdicts}
          isReadOnly={!isMine}
          onChange={(verdicts) => change({ ...source, verdicts })}
        />
      </Part>
      {isWriter ? (
        <Trial given={draft.isChanged ? { source: bodyOf(source) } : { rule_set: source.id }} />
      ) : null}
      <Changes source={source} />
      {draft.conflict === undefined ? null : (
        <Conflict
          before={saved}
          newer={sourceOf(draft.conflict)}
          onTake={() => draft.take(draft.conflict)}
          onOverwrite={() => draft.overwrite()}
          onClose={draft.dismiss}
        />
      )}
    </>
  );
}

/** The rule whose fields are shown; opening one focuses its first field. */
function useOpened(rules: number) {
  const [opened, setOpened] = useState(0);
  const form = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const open = (index: number) => {
    setOpened(index);
    // The fields of the rule exist once they are drawn.
    requestAnimationFrame(() => {
      showRow(list.current?.querySelector('.table'), index);
      form.current?.scrollIntoView({ block: 'nearest' });
      form.current?.querySelector<HTMLElement>('[data-first]')?.focus();
    });
  };
  return { at: Math.min(opened, rules - 1), open, form, list };
}

/** Rows out of sight are not in the page, so the list goes to where the row will be. */
function showRow(table: Element | null | undefined, index: number): void {
  if (!table) return;
  const rows = table.querySelector('table')?.getAttribute('aria-rowcount') ?? 1;
  const top = (index / Number(rows)) * table.scrollHeight;
  const isSeen = top >= table.scrollTop && top < table.scrollTop + table.clientHeight - MARGIN_PX;
  if (!isSeen) table.scrollTo({ top: top - table.clientHeight / 2 });
}
/** The header of the list and a row. */
const MARGIN_PX = 80;

type OpenedRuleProps = Pick<ReturnType<typeof useDraft>, 'source' | 'change'> &
  Pick<ReturnType<typeof useTried>, 'problems'> & {
    readonly at: number;
    readonly isReadOnly: boolean;
  };

function OpenedRule({ source, at, change, problems, isReadOnly }: OpenedRuleProps) {
  const { data: catalogue } = useQuery({
    queryKey: ['rule-catalogue'],
    queryFn: ({ signal }) => ask('GET /v1/rule-sets/catalogue', {}, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const names = catalogue?.items ?? [];
  const put = (rules: Source['rules']) => change(withRules(source, rules, names));
  const rule = source.rules[at];
  if (rule === undefined) return <p className="muted">It has no rule yet: each score is 0.</p>;
  return (
    <RuleForm
      key={at}
      rule={rule}
      names={names}
      problems={problemsOfRule(problems, at)}
      isReadOnly={isReadOnly}
      onChange={(changed) => put(source.rules.with(at, changed))}
      onRemove={() => put(source.rules.toSpliced(at, 1))}
    />
  );
}

type ActionsProps = {
  readonly state: string;
  readonly isSaving: boolean;
  readonly onAdd: () => void;
  /** Undefined while there is nothing to save. */
  readonly onSave: (() => void) | undefined;
};

const Actions = ({ state, isSaving, onAdd, onSave }: ActionsProps) => (
  <>
    <span className="muted small" role="status">
      {state}
    </span>
    <button type="button" onClick={onAdd}>
      Add a rule <kbd>n</kbd>
    </button>
    <button type="button" className="primary" disabled={onSave === undefined} onClick={onSave}>
      {isSaving ? 'Saving …' : 'Save'}
    </button>
  </>
);

const focusRow = (at: number) =>
  document
    .querySelector<HTMLElement>(`.editor-list tr[data-index="${at}"] .link`)
    ?.focus({ preventScroll: false });

function stateOf(isChanged: boolean, problems: number, isChecking: boolean): string {
  if (!isChanged) return 'Saved';
  if (isChecking) return 'Checking …';
  if (problems === 0) return 'Not saved yet';
  return problems === 1 ? 'One problem' : `${count(problems)} problems`;
}
