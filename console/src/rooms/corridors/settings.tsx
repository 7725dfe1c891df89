/** Settings of a corridor, and the way to change them. */
import { useState } from 'react';
import type { CorridorSettings } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { number } from '../../format.ts';
import { Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Facts } from '../../parts/show.tsx';
import { ChangeDialog } from './change-dialog.tsx';

type SettingsProps = {
  readonly corridor: string;
  readonly settings: CorridorSettings;
  readonly mayChange: boolean;
};

export function SettingsPart({ corridor, settings, mayChange }: SettingsProps) {
  const [isAsked, setAsked] = useState(false);
  const { weight, residency, region, shards } = settings;
  const button = (
    <button type="button" onClick={() => setAsked(true)}>
      Set …
    </button>
  );
  return (
    <Part title="Settings" aside={mayChange ? button : undefined}>
      <Facts
        rows={[
          ['Weight beside other corridors', number(weight)],
          ['Streams', shards],
          ['Data must stay in', residency],
          ['Region', region ?? corridor.slice(0, 2)],
        ]}
      />
      {isAsked ? (
        <SettingsDialog corridor={corridor} settings={settings} onClose={() => setAsked(false)} />
      ) : null}
    </Part>
  );
}

type SettingsDialogProps = Omit<SettingsProps, 'mayChange'> & { readonly onClose: () => void };

function SettingsDialog({ corridor, settings, onClose }: SettingsDialogProps) {
  const [weight, setWeight] = useState(String(settings.weight));
  const [shards, setShards] = useState(String(settings.shards));
  const [residency, setResidency] = useState(settings.residency ?? '');
  const [region, setRegion] = useState(settings.region ?? '');
  return (
    <ChangeDialog
      title={`Set: ${corridor}`}
      action="Set"
      isBlocked={weight === '' || shards === ''}
      onSend={(reason, signal) => {
        const body = {
          weight: Number(weight),
          shards: Number(shards),
          residency: residency.trim() || null,
          region: region.trim() || null,
          reason,
        };
        return ask('PUT /v1/corridors/{id}', { path: { id: corridor }, body }, signal);
      }}
      onClose={onClose}
    >
      <Field
        label="Weight"
        value={weight}
        onChange={setWeight}
        isNumber
        isRequired
        hint="From 0.1 to 10. Twice the weight is twice the part of a worker’s batch beside busy corridors."
      />
      <Field
        label="Streams"
        value={shards}
        onChange={setShards}
        isNumber
        isRequired
        hint="From 1 to 16. A change needs a frozen corridor with nothing waiting."
      />
      <Field
        label="Data must stay in"
        value={residency}
        onChange={setResidency}
        hint="A tag of servers, such as EG: others refuse the corridor."
      />
      <Field
        label="Region"
        value={region}
        onChange={setRegion}
        hint="Of figures and alerts; empty: the source country."
      />
    </ChangeDialog>
  );
}
