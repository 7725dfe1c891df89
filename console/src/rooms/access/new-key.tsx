/** Makes an API key. Its secret is in the answer alone: it is shown once, to be copied, and kept nowhere. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Me, MintedKey, NewKey } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has, type Role } from '../../api/me.ts';
import { Checks } from '../../parts/checks.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field, Segments, TimeField } from '../../parts/field.tsx';
import { readLocal } from '../../parts/local-time.ts';
import { Secret } from '../../parts/secret.tsx';
import { Trouble } from '../../parts/states.tsx';

const ROLES = {
  ingest: 'submits transactions and labels',
  analyst: 'reads, searches, reviews',
  operator: 'dead letters, pipeline',
  risk_officer: 'approves; once a second person has confirmed the key',
  admin: 'every role but risk officer and personal data',
  auditor: 'reads everything, changes nothing',
  personal_data: 'reads clear values; once a second person has confirmed the key',
} as const satisfies Record<Role, string>;
const ROLE_NAMES = Object.keys(ROLES).filter((name): name is Role => name in ROLES);

const HOLDERS = [
  ['owner', 'A service'],
  ['identity', 'A person'],
] as const;
type Holder = (typeof HOLDERS)[number][0];

export function NewKeyDialog({ me, onClose }: { readonly me: Me; readonly onClose: () => void }) {
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: (body: NewKey) => ask('POST /v1/keys', { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['keys'] }),
    // The answer has the secret: it goes with the dialog.
    gcTime: 0,
  });
  return (
    <Dialog title={make.data === undefined ? 'Make a key' : 'The key'} onClose={onClose}>
      {make.data === undefined ? (
        <>
          {make.error === null ? null : <Trouble error={make.error} />}
          <KeyForm me={me} isBusy={make.isPending} onMake={(key) => make.mutate(key)} />
        </>
      ) : (
        <Minted minted={make.data} />
      )}
    </Dialog>
  );
}

function Minted({ minted: { key, key_id } }: { readonly minted: MintedKey }) {
  return (
    <>
      <Secret secret={key}>
        Who has it may do all that its roles allow, until it expires or is revoked.
      </Secret>
      <p className="muted small">Its id, which is no secret: {key_id}</p>
    </>
  );
}

type KeyFormProps = {
  readonly me: Me;
  readonly isBusy: boolean;
  readonly onMake: (key: NewKey) => void;
};

function KeyForm({ me, isBusy, onMake }: KeyFormProps) {
  // An officer makes keys of people only, for the own client and with roles of the own key.
  const isAdmin = has(me, 'admin');
  const [kind, setKind] = useState<Holder>(isAdmin ? 'owner' : 'identity');
  const [holder, setHolder] = useState('');
  const [keyClient, setKeyClient] = useState(me.client);
  const [roles, setRoles] = useState<readonly Role[]>([]);
  const [expires, setExpires] = useState('');
  const offered = ROLE_NAMES.filter((role) => isAdmin || me.roles.includes(role));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onMake({
      ...{ roles, client: keyClient.trim() },
      ...(kind === 'owner' ? { owner: holder.trim() } : { identity: holder.trim() }),
      ...(expires === '' ? {} : { expires_at: readLocal(expires.trim()) }),
    });
  };
  return (
    <form className="dialog-form" onSubmit={submit}>
      <Checks
        {...{ label: 'Roles', choices: offered, chosen: roles, notes: ROLES }}
        nameOf={(role) => role.replace('_', ' ')}
        onChoose={setRoles}
      />
      {isAdmin ? (
        <Segments label="Holder" choices={HOLDERS} chosen={kind} onChoose={setKind} />
      ) : null}
      <div className="filters">
        <Field
          label={kind === 'owner' ? 'Owner' : 'Person'}
          {...{ value: holder, onChange: setHolder, isRequired: true }}
          placeholder={kind === 'owner' ? 'payments team' : 'Ann'}
          hint={
            kind === 'owner'
              ? 'Who answers for the key.'
              : 'Who holds it; a new name is a new person.'
          }
        />
        {isAdmin ? (
          <Field
            {...{ label: 'Client', value: keyClient, onChange: setKeyClient, isRequired: true }}
            hint="Whose transactions it shares."
          />
        ) : null}
        <TimeField
          {...{ label: 'Expires', value: expires, onChange: setExpires }}
          hint="Empty: never."
        />
      </div>
      <div className="row end">
        <button type="submit" className="primary" disabled={isBusy || roles.length === 0}>
          Make the key
        </button>
      </div>
    </form>
  );
}
