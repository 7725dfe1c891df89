/** Settings of traces: those that OpenTelemetry names bear its names. */
import { z } from 'zod';
import { integer, share } from './numbers.ts';

export const traceSettings = {
  OTEL_TRACES_EXPORTER: z
    .enum(['none', 'otlp'])
    .default('none')
    .describe('otlp: traces go to a collector of OpenTelemetry.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .default('http://localhost:4318')
    .describe(
      'Collector of traces, by OTLP over HTTP; the exporter reads other OTEL_EXPORTER_OTLP_ names as well.',
    ),
  OTEL_TRACES_SAMPLER_ARG: share(0.01).describe(
    'Share of requests that are traced, from 0 to 1, where the caller does not decide.',
  ),
  RISK_TRACES_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('File that spans are appended to, one JSON line each, in place of a collector.'),
  RISK_TRACE_SLOW_MS: integer(1, 600_000, 1000).describe(
    'Requests and batches that take this long are traced, whether they are sampled or not.',
  ),
};
