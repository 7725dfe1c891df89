/** Controls in words, as people read them in the answers to commands. */
import type { Control } from '../../core/domain/control.ts';
import type { Row as Fields } from '../../kit/command/output.ts';

/** A value in words: `points 100`. */
export const sayValue = (value: object | null): string =>
  Object.entries(value ?? {})
    .filter(([, member]) => typeof member !== 'object' || Array.isArray(member))
    .map((member) => member.join(' '))
    .join(', ');

type Told = Pick<Control, 'reason' | 'message' | 'set_by' | 'set_at' | 'ends_at' | 'value'>;

/** A control in a line: by whom, since when, why, until when, what clients read, and its value. */
export function sayControl({ reason, message, set_by, set_at, ends_at, value }: Told): string {
  const until = ends_at === null ? '' : `, until ${ends_at}`;
  const told = message === null ? '' : `; clients read: ${message}`;
  const said = sayValue(value);
  const at = said === '' ? '' : `; ${said}`;
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
