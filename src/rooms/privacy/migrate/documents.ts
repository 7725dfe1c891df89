/** Finds personal values in JSON of the engine: events, lines of the audit log, dead letters. */
import { isPersonalId, isToken, pathIn, walkPath } from '../../../core/domain/personal.ts';

type Members = Record<string, unknown>;
/** A value in a document, and how its token gets there. */
export type Hole = {
  readonly field: string;
  readonly value: string;
  readonly fill: (token: string) => void;
};

const NAMES: Readonly<Record<string, string>> = {
  account_id: 'account_id',
  accountId: 'account_id',
  device_id: 'device_id',
  deviceId: 'device_id',
  ip: 'ip',
};
/** Fields by kind of list. */
const OF_KIND: Readonly<Record<string, string>> = {
  account: 'account_id',
  device: 'device_id',
  address: 'ip',
};

/**
 * Calls `put` for each clear value of the fields. Values of metadata are JSON texts.
 * @param kinds kind of each list: an entry of a list has its value as `value`
 */
export function findHoles(
  document: unknown,
  fields: readonly string[],
  kinds: ReadonlyMap<string, string>,
  put: (hole: Hole) => void,
): void {
  const paths = fields
    .filter((field) => !isPersonalId(field))
    .map((field) => ({ field, path: pathIn(field) }));
  const putText = (holder: Members, name: string, field: string | undefined) => {
    const value = holder[name];
    if (field === undefined || !fields.includes(field) || typeof value !== 'string') return;
    // A network is no value of a transaction.
    if (isToken(field, value) || (field === 'ip' && value.includes('/'))) return;
    put({ field, value, fill: (token) => (holder[name] = token) });
  };
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const element of value) walk(element);
      return;
    }
    // An object that is no array has members, which its type does not say.
    const holder = value as Members;
    const { list, kind } = holder;
    if (typeof list === 'string') putText(holder, 'value', OF_KIND[kinds.get(list) ?? '']);
    if (kind === 'account') putText(holder, 'subject', 'account_id');
    for (const [name, member] of Object.entries(holder)) {
      putText(holder, name, NAMES[name]);
      if (name !== 'metadata') walk(member);
    }
    for (const { field, path } of paths) {
      walkPath(holder['metadata'], path, (within, name) => {
        const member = within[name];
        if (typeof member === 'string' && isToken(field, member)) return;
        put({
          field,
          value: JSON.stringify(member),
          fill: (token) => (within[name] = token),
        });
      });
    }
  };
  walk(document);
}
