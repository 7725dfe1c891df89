/** Controls of a corridor, and the way to set one. */
import { useState } from 'react';
import type { Me } from '../../../../src/kit/client/api-types.ts';
import { useControls } from '../../api/controls.ts';
import { has } from '../../api/me.ts';
import { Part } from '../../parts/page.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { SetDialog } from './control-dialog.tsx';
import { ControlTable } from './control-table.tsx';

export function CorridorControls({ corridor, me }: { readonly corridor: string; readonly me: Me }) {
  const query = useControls();
  const [isAsked, setAsked] = useState(false);
  const scope = `corridor:${corridor}`;
  const button = (
    <button type="button" onClick={() => setAsked(true)}>
      Set a control …
    </button>
  );
  return (
    <Part title="Controls" aside={has(me, 'operator', 'risk_officer') ? button : undefined}>
      <Found query={query} what="controls">
        {({ market, items, kinds }) => {
          const rows = items.filter((control) => control.scope === scope);
          return (
            <>
              {rows.length === 0 ? (
                <Empty title="Nothing bounds the corridor" />
              ) : (
                <ControlTable market={market} rows={rows} kinds={kinds} me={me} />
              )}
              {isAsked ? (
                <SetDialog
                  preset={{ kind: 'tighten', scope }}
                  kinds={kinds}
                  onClose={() => setAsked(false)}
                />
              ) : null}
            </>
          );
        }}
      </Found>
    </Part>
  );
}
