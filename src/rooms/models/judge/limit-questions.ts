/** Limits of inference: how many rows of a batch models are asked for. The rules decide the others, so nothing waits. */
import type { Limiter } from '../../../core/accept/limits/limiter.ts';
import { LIMITED_MARKET } from '../../../core/domain/limit.ts';
import { corridorScope } from '../../../core/domain/switch.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { Questions } from './judge-batch.ts';

/**
 * Takes one unit a row, in the order of the plan, so that shadows get what the deciding models leave. A model that stands in for one
 * that failed takes no further unit.
 */
export async function limitQuestions(
  { takeSome }: Pick<Limiter, 'takeSome'>,
  { inferenceRefused }: Pick<Metrics, 'inferenceRefused'>,
  plan: readonly Questions[],
): Promise<Questions[]> {
  const limited: Questions[] = [];
  for (const one of plan) {
    const { corridor, role, line, indexes } = one;
    const isAsked = line.some((model) => model !== null);
    const scopes = [corridorScope(corridor), LIMITED_MARKET];
    const asked = isAsked ? await takeSome('inference', scopes, indexes.length) : indexes.length;
    if (asked < indexes.length) inferenceRefused.inc({ corridor, role }, indexes.length - asked);
    limited.push({ ...one, asked });
  }
  return limited;
}
