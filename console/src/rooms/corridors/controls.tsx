/** Every control in force: since when, by whom, why, which transactions wait for its end, and the way to change it. */
import { useState } from 'react';
import type { Controls, Me } from '../../../../src/kit/client/api-types.ts';
import { useControls } from '../../api/controls.ts';
import { has } from '../../api/me.ts';
import { count } from '../../format.ts';
import { Approvals } from '../../parts/approvals.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { type Preset, SetDialog } from './control-dialog.tsx';
import { ControlTable } from './control-table.tsx';
import { LevelsPart } from './levels.tsx';
import { RollbackPart } from './rollback.tsx';
import { SuggestionsPart } from './suggestions.tsx';

/** Presets of the dialog, by the key that opens it. */
const PRESETS: Readonly<Record<string, Preset>> = {
  c: { kind: 'stop' },
  m: { kind: 'stop', scope: 'market' },
  l: { kind: 'stop', scope: 'client:' },
  f: { kind: 'freeze' },
  i: { kind: 'limit-transactions' },
};

export function ControlsPage({ me }: { readonly me: Me }) {
  const query = useControls();
  const [preset, setPreset] = useState<Preset>();
  const mayChange = has(me, 'operator', 'risk_officer');
  const keys = Object.entries(PRESETS).map(([key, own]) => [key, () => setPreset(own)]);
  useShortcuts(mayChange ? Object.fromEntries(keys) : {});
  const button = (
    <button type="button" onClick={() => setPreset(PRESETS['c'])}>
      Set a control … <kbd>c</kbd>
    </button>
  );
  return (
    <Page title="Controls" aside={mayChange ? button : undefined}>
      <SuggestionsPart me={me} />
      <Approvals me={me} />
      <Found query={query} what="controls">
        {({ market, items, on_hold, kinds }) => (
          <>
            <Part title="In force">
              {items.length === 0 ? (
                <Empty title="Nothing is bounded">
                  Every corridor accepts and scores, as much as comes.
                </Empty>
              ) : (
                <ControlTable market={market} rows={items} kinds={kinds} me={me} />
              )}
            </Part>
            <OnHold rows={on_hold} />
            {items.some(({ kind, scope }) => kind === 'freeze' && scope === 'market') ? (
              <RollbackPart market={market} me={me} />
            ) : null}
            {preset === undefined ? null : (
              <SetDialog preset={preset} kinds={kinds} onClose={() => setPreset(undefined)} />
            )}
          </>
        )}
      </Found>
      <LevelsPart />
    </Page>
  );
}

type Waiting = Controls['on_hold'][number];
const WAITING: readonly Column<Waiting>[] = [
  { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => <strong>{corridor}</strong> },
  {
    id: 'transactions',
    header: 'Transactions',
    numeric: true,
    cell: ({ transactions }) => count(transactions),
  },
];

function OnHold({ rows }: { readonly rows: readonly Waiting[] }) {
  return (
    <Part title="On hold">
      {rows.length === 0 ? (
        <Empty title="No transaction is on hold">
          What a worker had read when its corridor stopped waits here.
        </Empty>
      ) : (
        <DataTable
          label="On hold"
          columns={WAITING}
          rows={rows}
          keyOf={({ corridor }) => corridor}
        />
      )}
    </Part>
  );
}
