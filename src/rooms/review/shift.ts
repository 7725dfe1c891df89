/** Decisions of one reviewer since the begin of a shift, in the form of the API. */
import { z } from 'zod';
import { handlingSeconds } from './status.ts';

/** A reviewer makes about 500 changes in a shift of 160 reviews. */
export const SHIFT_CHANGES_MAX = 5000;

export const shiftSchema = z
  .object({
    reviewer: z.string(),
    since: z.iso.datetime(),
    decided: z.int().meta({ description: 'Decisions that stand, final or not.' }),
    fraud: z.int(),
    legitimate: z.int(),
    unsure: z.int(),
    in_time: z.int().meta({ description: 'Decided before their deadline.' }),
    handling_seconds: handlingSeconds,
    undone: z.int().meta({
      description: `Decisions taken back, among the newest ${SHIFT_CHANGES_MAX} changes of the reviewer.`,
    }),
  })
  .meta({ id: 'ReviewShift' });
export type Shift = z.infer<typeof shiftSchema>;

export const reviewShift: Shift = {
  reviewer: 'Ann',
  since: '2026-11-20T08:00:00.000Z',
  decided: 41,
  fraud: 9,
  legitimate: 30,
  unsure: 2,
  in_time: 40,
  handling_seconds: 164.5,
  undone: 1,
};
