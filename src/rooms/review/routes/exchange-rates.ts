/** `/v1/exchange-rates`: rates by day, by which the review compares amounts. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../../kit/http/auth/auth.ts';
import { type BodyLimits, checkFields, readJson } from '../../../kit/http/body/body.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import type { ImportRates } from '../change/import-rates.ts';
import { exchangeRateSchema } from '../exchange-rate.ts';

/** 25 days of 40 currencies; `risk rates import` takes more. */
const RATES_MAX = 1000;
const ROLES = ['risk_officer', 'admin'] as const;

const inputSchema = z
  .strictObject({ rates: z.array(exchangeRateSchema).min(1).max(RATES_MAX) })
  .meta({ id: 'ExchangeRatesInput' });

const importedSchema = z
  .object({
    added: z.int(),
    changed: z.int().meta({ description: 'There was another rate of that day.' }),
    unchanged: z.int(),
  })
  .meta({ id: 'ImportedRates' });

export function exchangeRatesRoutes(importRates: ImportRates, limits: BodyLimits): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.post('/v1/exchange-rates', requireRole(...ROLES), async (c) => {
    const { rates } = checkFields(inputSchema, await readJson(c, limits));
    return c.json(await importRates(rates, actorOf(c)));
  });
  return routes;
}

export const exchangeRatesPaths: ZodOpenApiPathsObject = {
  '/v1/exchange-rates': {
    post: {
      ...{ operationId: 'importExchangeRates', tags: ['reviews'] },
      security: allowedRoles(...ROLES),
      summary: 'Import exchange rates by day',
      description:
        "All of them are stored, or none; the same day and currency again is corrected. The review compares amounts in `currency` of its policy, by the rates of the transaction's day or of the newest day before it. Cases that are open keep the amount that placed them.",
      requestBody: {
        required: true,
        content: json(inputSchema, {
          rates: [{ day: '2026-11-20', currency: 'EUR', usd: '1.0842' }],
        }),
      },
      responses: {
        200: {
          description: 'Stored.',
          content: json(importedSchema, { added: 1, changed: 0, unchanged: 0 }),
        },
        ...problemResponses(400, 408, 413, 415, 422),
      },
    },
  },
};
