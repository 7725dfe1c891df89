/** The ways in which an operator may choose the bands of a model. */
import {
  type Bands,
  bandsForBudget,
  bandsForCosts,
  type ChooseBands,
  type CostMatrix,
} from '../evaluation/bands.ts';

/** Stored as this JSON on the card. */
export type BandsRule =
  | { readonly by: 'share'; readonly reviews: number; readonly declines: number }
  | { readonly by: 'budget'; readonly reviewsADay: number; readonly declinesADay: number }
  | { readonly by: 'costs'; readonly costs: CostMatrix };

/** Default shares of the transactions, which grow and shrink with the traffic. */
export const DEFAULT_BANDS: BandsRule = { by: 'share', reviews: 0.01, declines: 0.002 };

/**
 * @param daysSeen days of traffic that the judged rows stand for: of a window of seven days with a label
 * for every second transaction, 3.5
 */
export function bandsChooser(rule: BandsRule, daysSeen: number): ChooseBands {
  return (probabilities): Bands => {
    switch (rule.by) {
      case 'share': {
        const reviews = rule.reviews * probabilities.length;
        return bandsForBudget(probabilities, {
          reviews,
          declines: rule.declines * probabilities.length,
        });
      }
      case 'budget': {
        const reviews = rule.reviewsADay * daysSeen;
        return bandsForBudget(probabilities, { reviews, declines: rule.declinesADay * daysSeen });
      }
      case 'costs':
        return bandsForCosts(rule.costs);
    }
  };
}
