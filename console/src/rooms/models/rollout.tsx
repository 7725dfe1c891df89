/** The decisions of two people about a model. */
import { useQueryClient } from '@tanstack/react-query';
import type { Me, ModelDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { APPROVALS, Approvals } from '../../parts/approvals.tsx';
import { Part } from '../../parts/page.tsx';
import { Propose, RollBack } from '../../parts/rollout.tsx';

const STATES = ['shadow', 'canary', 'active'] as const;

export function Rollout({ model, me }: { readonly model: ModelDetail; readonly me: Me }) {
  const client = useQueryClient();
  /** Everything that a decision about a model may have changed. */
  const renew = () =>
    Promise.all(
      ['model', 'models', APPROVALS].map((key) => client.invalidateQueries({ queryKey: [key] })),
    );
  const deciding = model.corridors.filter(({ state }) => state === 'canary' || state === 'active');
  return (
    <Part title="Rollout">
      <Approvals me={me} isShown={({ detail }) => detail['model_id'] === model.model_id} />
      {has(me, 'risk_officer') ? (
        <>
          <Propose
            stage={model.stage}
            states={STATES}
            propose={(body) =>
              ask('POST /v1/models/{id}/proposals', { path: { id: model.model }, body })
            }
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
