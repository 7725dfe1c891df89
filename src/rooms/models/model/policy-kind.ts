/** A policy of people as a model: the scorecard of each vector's table by the policy. */
import type { PolicyValue } from '../../../core/domain/policy.ts';
import type { JudgingModel } from '../../../core/score/judge.ts';
import { explainMargin } from '../../../core/score/scorecard/explain-margin.ts';
import { opinionBy } from '../../../core/score/scorecard/policy.ts';
import { logistic } from '../../../kit/elementary-functions.ts';

type PolicyFile = { readonly sha256: string; readonly policy: PolicyValue };

export const judgeByPolicy = ({ sha256, policy }: PolicyFile, name: string): JudgingModel => ({
  modelId: sha256,
  name,
  under: name,
  isFree: true,
  judge: (rows) => rows.map((row) => opinionBy(policy, row)),
  // Points of measures are exact by either method.
  async explain({ vector, table, createdAtMs, margin: marginBy }, method) {
    const margin = marginBy();
    const told = table && explainMargin(table, vector, createdAtMs);
    return {
      ...{ model: name, method, base: told?.base ?? margin, margin, probability: logistic(margin) },
      contributions: (told?.points ?? [])
        .map(({ measure: feature, points, ...rest }) => ({
          feature,
          contribution: points,
          ...rest,
        }))
        .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)),
    };
  },
});
