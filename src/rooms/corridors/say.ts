/** Controls in words, as people read them in the answers to commands. */
import type { Control, ControlProposal } from '../../core/domain/control.ts';
import type { Row as Fields } from '../../kit/command/output.ts';

/** A value in words: `points 100`. */
export const sayValue = (value: object | null): string =>
  Object.entries(value ?? {})
    .filter(([, member]) => typeof member !== 'object')
    .map((member) => member.join(' '))
    .join(', ');

type Told = Pick<Control, 'reason' | 'message' | 'set_by' | 'set_at' | 'ends_at' | 'value'>;

/** A control in a line: by whom, since when, why, until when, what clients read, and its value. */
export function sayControl({ reason, message, set_by, set_at, ends_at, value }: Told): string {
  const until = ends_at === null ? '' : `, until ${ends_at}`;
  const told = message === null ? '' : `; clients read: ${message}`;
  const at = value === null ? '' : `; ${sayValue(value)}`;
  return `${set_by} since ${set_at}${until}: ${reason}${told}${at}`;
}

const isControl = (value: unknown): value is Control =>
  typeof value === 'object' && value !== null && 'set_by' in value && 'kind' in value;

const sayMember = (value: unknown): unknown => {
  if (Array.isArray(value) && value.some(isControl))
    return value.map((control) => `${control.kind} ${control.scope}: ${sayControl(control)}`);
  return isControl(value) ? sayControl(value) : value;
};

/** Members that are controls as lines. */
export const tellControls = (row: Fields): Fields =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, sayMember(value)]));

/** A proposal in a line. */
export function sayProposal(proposal: ControlProposal | null): string {
  if (proposal === null) return '-';
  const what = proposal.value === null ? 'the end' : sayValue(proposal.value);
  return `${what} by ${proposal.proposed_by}: ${proposal.reason}`;
}

const optionsOf = (value: object) =>
  Object.entries(value).map(([name, member]) => `--${name.replaceAll('_', '-')} ${member}`);

/** The command that a second person sends for a proposal. */
export function sayWaiting({ kind, scope, value, proposal }: Control): string | undefined {
  if (proposal === null) return undefined;
  const { value: to, proposed_by: by } = proposal;
  const command = to === null ? ['end', kind, scope] : ['set', kind, scope, ...optionsOf(to)];
  const what = to === null ? 'end' : 'change';
  return `The ${what} by ${by} waits for a second person, and ${sayValue(value)} of ${scope} hold until then: another operator, risk_officer or admin sends bin/risk controls ${command.join(' ')} --reason '…'`;
}
