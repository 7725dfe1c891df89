/** The trace of each request that comes to the application of a market. */
import type { Context } from 'hono';
import { MARKET, METHOD, REQUEST, ROUTE, SPANS, STATUS } from '../traces/names.ts';
import type { Traces } from '../traces/open-traces.ts';
import { parseTraceparent } from '../traces/trace-context.ts';
import type { AppEnv } from './app-env.ts';

type Ended = {
  readonly route: string;
  readonly status: string;
  /** Set where the engine obeys people. */
  readonly problem?: string;
};

export type RequestTraces = ReturnType<typeof traceRequests>;

const FAILED_MIN = 500;

export function traceRequests({ begin }: Pick<Traces, 'begin'>, market: string) {
  return {
    begin(c: Context<AppEnv>): void {
      const attributes = {
        [METHOD]: c.req.method,
        [MARKET]: market,
        [REQUEST]: c.get('requestId'),
      };
      const parent = parseTraceparent(c.req.header('traceparent'));
      c.set('trace', begin({ name: SPANS.noRoute, kind: 'server', attributes, parent }));
    },
    /** A path may name a person's account, so the route stands for it. */
    end(c: Context<AppEnv>, { route, status, problem }: Ended): void {
      const trace = c.get('trace');
      if (trace === undefined) return;
      const { first } = trace;
      first.name = `${c.req.method} ${route}`;
      first.attributes[ROUTE] = route;
      first.attributes[STATUS] = Number(status);
      if (Number(status) >= FAILED_MIN && problem === undefined) trace.fail(status);
      // Nobody without a key has traces exported by saying that they are sampled.
      trace.end(c.get('principal') !== undefined);
    },
  };
}
