/** Counts disputes by corridor: transactions that a label of anybody but the reviewers calls fraud. */
import { DAY_MS } from '../../kit/words/range.ts';

/** The source of labels by the reviewers, which are no disputes. */
export const REVIEW_SOURCE = 'review';
/** Most labels that are read, the newest. */
const LABELS_MAX = 5000;
/** Age up to which a transaction's dispute counts. Longer: each reading locks more months; shorter: late disputes are missed. */
const DISPUTED_DAYS = 730;

/** The least `created_at` of a transaction whose dispute counts. */
export const disputedSince = (nowMs: number) => new Date(nowMs - DISPUTED_DAYS * DAY_MS);

/**
 * A query: by corridor, the most disputes within 5 minutes of the last hour; $1 is `disputedSince`.
 * @param which the labels that are read
 */
export const disputesText = (which = 'true') => `
  select corridor, max(recent)::int4 as disputes
    from (select t.corridor, count(*) over (partition by t.corridor order by l.labelled_at
                                            range between interval '5 minutes' preceding and current row) as recent
            from (select transaction_id, created_at, min(labelled_at) as labelled_at
                    from (select transaction_id, created_at, labelled_at, label, source from market.labels
                           where labelled_at > now() - interval '1 hour' and created_at >= $1 and ${which}
                           order by labelled_at desc limit ${LABELS_MAX}) newest
                   where label = 'fraud' and source <> '${REVIEW_SOURCE}' group by transaction_id, created_at) l
            join market.transactions t using (transaction_id, created_at) where t.created_at >= $1) windows
   group by corridor`;
