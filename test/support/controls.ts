/** Controls as tests need them: as a process has read them, and as rows. */
import { byKind, type Control, type Controls } from '../../src/core/domain/control.ts';
import type { Kind } from '../../src/core/domain/control-kinds.ts';
import { changeControls } from '../../src/core/store/controls/controls.ts';
import type { Database } from '../../src/kit/database/pool.ts';

export const aControl = (kind: Kind, scope: string, more: Partial<Control> = {}): Control => ({
  kind,
  scope,
  value: null,
  reason: 'a test',
  message: null,
  set_by: 'Ann',
  set_at: '2026-11-25T09:30:00.000Z',
  ends_at: null,
  version: 1,
  ...more,
});

export const controlsOf = (...all: readonly Control[]): Controls => ({
  version: 1,
  inForce: byKind(all),
  settings: new Map(),
  elsewhere: new Map(),
  fields: new Map(),
  slots: [],
});

type Changing = Pick<Database, 'query' | 'transaction'>;

/** Sets a control in Postgres, as no API has to be asked. */
export const setControl = (
  database: Changing,
  kind: Kind,
  scope: string,
  more?: Partial<Control>,
) =>
  changeControls(database, false, (_query, _before, { set }) => set(aControl(kind, scope, more)));

export const endControlIn = (database: Changing, kind: Kind, scope: string) =>
  changeControls(database, false, (_query, _before, { end }) => end({ kind, scope }));

/** A statement that makes a row for a control. */
export const insertControl = (kind: string, scope: string, value: object | null = null) =>
  `insert into controls (kind, scope, value, reason, set_by, version)
   values ('${kind}', '${scope}', ${value === null ? 'null' : `'${JSON.stringify(value)}'`}, 'a test', 'Ann', (select coalesce(max(version), 0) + 1 from controls))`;
