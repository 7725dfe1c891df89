/** Settings that are numbers, with their bounds. */
import { z } from 'zod';

const INTEGER = /^-?\d{1,15}$/;

export const integer = (min: number, max: number, byDefault: number) =>
  z
    .string()
    .refine((text) => INTEGER.test(text) && Number(text) >= min && Number(text) <= max, {
      error: ({ input }) => `must be a whole number from ${min} to ${max}, not '${input}'`,
    })
    .transform(Number)
    .default(byDefault);

const SHARE = /^(?:0?\.\d{1,6}|[01](?:\.0{1,6})?)$/;
export const share = (byDefault: number) =>
  z
    .string()
    .refine((text) => SHARE.test(text), {
      error: ({ input }) => `must be a number from 0 to 1, not '${input}'`,
    })
    .transform(Number)
    .default(byDefault);
