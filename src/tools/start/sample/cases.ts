/** Lets the people of the sample decide some review cases by the labels of the sample. Two decisions wait for a second person. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CaseDisposition, ReviewCase } from '../../../kit/client/api-types.ts';
import type { AskApi } from '../../../kit/client/ask.ts';
import type { Person } from './people.ts';

type Task = { readonly person: Person; readonly needsSecond: boolean };

const times = (count: number, task: Task) => Array.from({ length: count }, () => task);
/** The order is fixed, so that the number of decisions says where a killed start stopped. A median of handling needs ten. */
const TASKS: readonly Task[] = [
  ...times(2, { person: 'Sample Ann', needsSecond: true }),
  ...times(11, { person: 'Sample Ann', needsSecond: false }),
  ...times(5, { person: 'Sample Ben', needsSecond: false }),
];
const LISTED = 200;
const TRIES_MAX = 10;
const TRY_AGAIN_MS = 500;

export type Asks = Readonly<Record<Person, AskApi>>;
type Claimed = { readonly person: Person; readonly id: string };

/** Claims an open case for each remaining task, of its kind if such a case is open. */
export async function claimCases(asks: Asks, decided: number): Promise<Claimed[]> {
  const tasks = TASKS.slice(decided);
  const open = tasks.length === 0 ? [] : await listOpen(asks['Sample Ann']);
  const claimed: Claimed[] = [];
  for (const { person, needsSecond } of tasks) {
    const at = open.findIndex((one) => one.needs_second_person === needsSecond);
    const [one] = open.splice(Math.max(0, at), 1);
    if (one === undefined) break;
    const id = one.transaction_id;
    await asks[person]('POST /v1/reviews/{id}/claim', { path: { id } });
    claimed.push({ person, id });
  }
  return claimed;
}

/** Waits for open cases, which a worker makes within a second of the scores, or later on a busy machine. */
async function listOpen(ask: AskApi): Promise<ReviewCase[]> {
  const query = { state: 'open', limit: LISTED } as const;
  for (let tries = 1; ; tries++) {
    const { items } = await ask('GET /v1/reviews', { query });
    if (items.length > 0 || tries === TRIES_MAX) return [...items];
    await delay(TRY_AGAIN_MS);
  }
}

export async function decideCases(asks: Asks, claimed: readonly Claimed[]): Promise<void> {
  const idsOf = async (label: 'fraud' | 'none') => {
    const query = { verdict: 'review', label, limit: LISTED } as const;
    const { items } = await asks['Sample Ann']('GET /v1/scores', { query });
    return new Set(items.map(({ transaction_id: id }) => id));
  };
  const [frauds, unknown] = [await idsOf('fraud'), await idsOf('none')];
  for (const { person, id } of claimed) {
    const body = decisionOf(frauds.has(id), unknown.has(id));
    await asks[person]('POST /v1/reviews/{id}/decide', { path: { id }, body });
  }
}

function decisionOf(isFraud: boolean, isUnknown: boolean): CaseDisposition {
  if (isFraud) return { disposition: 'fraud', reason: 'Sample: the cardholder did not make it' };
  return isUnknown
    ? { disposition: 'unsure', reason: 'Sample: nobody has reported on it yet' }
    : { disposition: 'legitimate', reason: 'Sample: the cardholder knows the payment' };
}
