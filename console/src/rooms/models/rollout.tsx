/** The decisions of two people about a model. */
import { useQueryClient } from '@tanstack/react-query';
import type { Me, ModelDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { Part } from '../../parts/page.tsx';
import { Proposals, Propose, RollBack } from '../../parts/rollout.tsx';

const STATES = ['shadow', 'canary', 'active'] as const;

export function Rollout({ model, me }: { readonly model: ModelDetail; readonly me: Me }) {
  const client = useQueryClient();
  /** Everything that a decision about a model may have changed. */
  const renew = () =>
    Promise.all(['model', 'models'].map((key) => client.invalidateQueries({ queryKey: [key] })));
  const deciding = model.corridors.filter(({ state }) => state === 'canary' || state === 'active');
  return (
    <Part title="Rollout">
      <Proposals
        {...{ proposals: model.proposals, me, what: 'model', renew }}
        approve={({ proposal_id: id }) =>
          ask('POST /v1/models/proposals/{id}/approve', { path: { id } })
        }
      />
      {has(me, 'risk_officer') ? (
        <>
          <Propose
            stage={model.stage}
            states={STATES}
            propose={async (body) => {
              await ask('POST /v1/models/{id}/proposals', { path: { id: model.model }, body });
              return 'proposed';
            }}
            renew={renew}
          />
          <RollBack
            corridors={deciding.map(({ corridor }) => corridor)}
            rollBack={(corridor) => ask('POST /v1/models/rollback', { body: { corridor } })}
            renew={renew}
          >
            {(corridor) =>
              `The canary of ${corridor} ends at once. Where there is none, the model that was active before is active again, or the rules decide alone.`
            }
          </RollBack>
        </>
      ) : null}
    </Part>
  );
}
