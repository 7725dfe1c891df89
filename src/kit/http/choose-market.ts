/**
 * The market that answers a request, where one process serves several: the market that the header Risk-Market names, else the
 * market that the console keeps in a cookie, as a browser sends no header of ours with a stream of events, else the first.
 */
import type { RequestListener } from 'node:http';
import type { Metrics } from '../metrics/metrics.ts';
import { given } from '../words/describe-issue.ts';
import { pathOf } from './admission/path-of.ts';
import { Problem, unavailable } from './answers/problem.ts';
import { writeProblem } from './serve.ts';

/** Markets by name as requests reach them, the market that answers by default first; undefined while a market is not open. */
export type Listeners = ReadonlyMap<string, RequestListener | undefined>;

/** Paths of the process, which need no market. */
const OF_PROCESS =
  /^\/(?:(?:livez|readyz|metrics|(?:openapi|features|reason-codes)\.json|docs|console)(?![^/?])|$)/;
const COOKIE = /(?:^|;) *risk-market=([a-z0-9_]+)/;

export const MARKET_PARAMETER = {
  name: 'Risk-Market',
  in: 'header',
  description:
    'The market that answers, where one API serves several; by default its first. Keys, transactions and all else are those of the market.',
  schema: { type: 'string' },
  example: 'market_0',
} as const;

/** @param own answers at paths of the process */
export function chooseMarket(
  own: RequestListener,
  markets: Listeners,
  { httpDuration }: Pick<Metrics, 'httpDuration'>,
): RequestListener {
  const names = [...markets.keys()];
  const refusalOf = (name: string): Problem => {
    if (markets.has(name)) return unavailable(`The market ${name} is not open yet.`);
    const detail = `This API serves ${names.join(', ')}, and not the market ${given(name)}.`;
    return new Problem('unknown-market', detail);
  };
  return (request, response) => {
    if (OF_PROCESS.test(pathOf(request.url ?? ''))) return own(request, response);
    const { 'risk-market': named, cookie = '' } = request.headers;
    const kept = COOKIE.exec(cookie)?.[1] ?? '';
    // A cookie may name a market that an earlier process served.
    const ofCookie = markets.has(kept) ? kept : (names[0] ?? '');
    const name = named === undefined ? ofCookie : String(named);
    const listener = markets.get(name);
    if (listener !== undefined) return listener(request, response);
    writeProblem(request, response, refusalOf(name));
    const { method = '' } = request;
    httpDuration.observe({ method, route: '(market)', status: String(response.statusCode) }, 0);
  };
}
