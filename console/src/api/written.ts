/** After a write of this page its reads prefer the primary for a while, as a replica of Postgres may lack the write. */

/** A replica that lags more is not read: RISK_REPLICA_LAG_MS_MAX is at most 120 s. */
const PREFERRED_MS = 120_000;

let writtenMs = Number.NEGATIVE_INFINITY;

export function noteWrite(): void {
  writtenMs = performance.now();
}

export function preferPrimary(request: Headers): void {
  if (performance.now() - writtenMs < PREFERRED_MS) request.set('Prefer', 'read=primary');
}
