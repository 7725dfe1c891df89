/** The newest write of this page. Reads carry its token, so that a replica of Postgres that lacks the write does not answer them. */

const HEADER = 'Consistency-Token';
/** A replica that lags more is not read: RISK_REPLICA_LAG_MS_MAX is at most 120 s. */
const CARRIED_MS = 120_000;

let token: string | null = null;
let writtenMs = 0;

export function noteToken(answer: Headers): void {
  const given = answer.get(HEADER);
  if (given === null) return;
  token = given;
  writtenMs = performance.now();
}

export function carryToken(request: Headers): void {
  if (token === null || performance.now() - writtenMs > CARRIED_MS) return;
  request.set(HEADER, token);
}
