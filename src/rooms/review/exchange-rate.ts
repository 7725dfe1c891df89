/** A dated exchange rate: what one unit of a currency was worth in US dollars on a UTC day. */
import { z } from 'zod';
import { currencyScale } from '../../core/domain/currency.ts';
import { codeError } from '../../kit/words/code-error.ts';

const isOther = (code: string) => code !== 'USD' && currencyScale(code) !== undefined;

export const exchangeRateSchema = z
  .strictObject({
    day: z.iso.date('must be a UTC day, as 2026-11-20'),
    currency: z
      .string()
      .refine(
        isOther,
        codeError(isOther, 'must be an ISO 4217 currency code other than USD, as EUR'),
      ),
    usd: z
      .string()
      .regex(/^\d{1,9}(\.\d{1,12})?$/, 'must be a decimal of US dollars for one unit, as 1.0842')
      .refine((text) => /[1-9]/.test(text), 'must be greater than zero'),
  })
  .meta({ id: 'ExchangeRate' });
export type ExchangeRate = z.infer<typeof exchangeRateSchema>;
