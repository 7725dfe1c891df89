/** `risk controls …`: sets and ends the controls of scopes over a running API. */
import { type Control, nameOf } from '../../core/domain/control.ts';
import { KIND_NAMES, kindOf } from '../../core/domain/control-kinds.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { SCOPE_FORMS } from './control-scopes.ts';
import { sayControl, sayValue, tellControls } from './say.ts';

type Answer = {
  readonly control?: Control | null;
  readonly before?: Control | null;
  readonly notice?: string | null;
};
type Listed = {
  readonly on_hold?: readonly { readonly corridor: string; readonly transactions: number }[];
};

/** Another person ends the stop of a market. */
const WHOLE: Readonly<Record<string, string>> = {
  all: 'set stop all refuses submissions to each market in this database, and nothing is scored',
  market: 'set stop market refuses submissions to the market of this API, and nothing is scored',
};

const textOf = (lines: readonly (string | null | undefined | false)[]) =>
  lines.filter((line) => typeof line === 'string').join('\n') || undefined;

const sayListed = ({ on_hold = [] }: Listed) =>
  textOf(on_hold.map(({ corridor, transactions }) => `On hold in ${corridor}: ${transactions}`));

/** Tells which control was there before, warns of a client without keys, and says who ends the control. */
function saySet({ control, before, notice }: Answer): string | undefined {
  if (!control) return undefined;
  const { kind, scope } = control;
  const isOther = kindOf(kind).end(scope).person === 'other';
  return textOf([
    before && `The scope ${scope} had the control already, by ${sayControl(before)}.`,
    notice,
    isOther &&
      `Another person, with the role risk_officer or admin, ends it: bin/risk controls end ${kind} ${scope} --reason '…'`,
  ]);
}

function sayEnded({ control, before }: Answer): string | undefined {
  if (!before) return 'No such control was in force.';
  if (!control) return `The control ${nameOf(before)} has ended.`;
  return `It is still in force, by ${sayControl(control)}.`;
}

export const command = commandOf({
  name: 'controls',
  summary: 'Stops, freezes, limits and otherwise bounds a market, a corridor, a client or a part.',
  notes: `KIND is ${KIND_NAMES.join(', ')}.
SCOPE is one of the kind: ${Object.values(SCOPE_FORMS)
    .map(({ found }) => found)
    .join(', ')}.
Stopping all or market needs --yes.
Examples: risk controls set stop corridor:US-EG --reason 'payouts fail at the bank'
  risk controls set limit-transactions client:shop --rate-per-second 500 --burst 1000 --reason 'contract of 2026'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listControls',
      shows: 'items',
      columns: ['kind', 'scope', 'value', 'set_by', 'set_at', 'ends_at', 'reason', 'message'],
      tell: (row) => ({ ...row, value: sayValue((row as Control).value) }),
      notes: sayListed,
    },
    set: {
      operation: 'changeControl',
      summary: 'Set a control: every process acts on it within a second',
      fields: { in_force: true },
      mustBeMeant: ({ kind, scope }) => (kind === 'stop' ? WHOLE[String(scope)] : undefined),
      notes: saySet,
      tell: tellControls,
    },
    end: {
      operation: 'changeControl',
      summary: 'End a control',
      fields: {
        in_force: false,
        points: undefined,
        from_amount: undefined,
        rate_per_second: undefined,
        burst: undefined,
        received_days: undefined,
        disputes: undefined,
        sources: undefined,
        message: undefined,
        ends_at: undefined,
      },
      notes: sayEnded,
      tell: tellControls,
    },
    incidents: { operation: 'listIncidents' },
    note: { operation: 'noteControl', words: { TEXT: 'note' } },
    history: {
      operation: 'listControlHistory',
      columns: ['set_at', 'set_by', 'reason', 'ended_at', 'ended_by', 'end_reason', 'notes'],
    },
  },
});
