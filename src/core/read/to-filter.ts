/** The parameters of a search as what its statements ask. */
import type { SearchFilter } from '../store/search/search-filter.ts';
import type { SearchQuestion } from './search-parameters.ts';

/** Without the idempotency key, whose transaction has to be looked up. */
export function toFilter(asked: SearchQuestion, isScored: boolean): SearchFilter {
  return {
    ...{ isScored: isScored || asked.sort === 'score', transactionId: undefined },
    ...{ accountId: asked.account_id, merchantId: asked.merchant_id, deviceId: asked.device_id },
    ...{ ip: asked.ip, corridor: asked.corridor, client: asked.client, status: asked.status },
    ...{ currency: asked.currency, minAmount: asked.min_amount, maxAmount: asked.max_amount },
    ...{ receivedFromMs: asked.received_from, receivedToMs: asked.received_to },
    ...{ verdicts: asked.verdict, minScore: asked.min_score, maxScore: asked.max_score },
    ...{ reasons: asked.reason, reasonMatch: asked.reason_match, ruleSet: asked.rule_set },
    ...{ model: asked.model, degradation: asked.degradation, label: asked.label },
    ...{ scoredFromMs: asked.scored_from, scoredToMs: asked.scored_to },
  };
}
