/**
 * From the warning on somebody should look; from the critical value on somebody must act. The console reads these numbers, and a
 * test compares the alerts with these numbers.
 */
export const THRESHOLDS = {
  api_p95_seconds: { warning: 0.2, critical: 0.5 },
  api_errors_ratio: { warning: 0.01, critical: 0.05 },
  queue_depth_transactions: { warning: 500, critical: 2000 },
  queue_age_seconds: { warning: 30, critical: 120 },
  database_connections_ratio: { warning: 0.7, critical: 0.9 },
} as const;

/** Requests of probes, scrapers and open pages, which say nothing about the service. */
export const PROBES = ['/livez', '/readyz', '/metrics'] as const;
/**
 * Least requests of a minute for which durations and errors are judged. Smaller: two slow requests make a warning; larger: a
 * quiet engine is never judged.
 */
export const REQUESTS_MIN = 20;
/** Errors from which the share of errors is judged, even with fewer requests than REQUESTS_MIN. */
export const ERRORS_MIN = 3;
