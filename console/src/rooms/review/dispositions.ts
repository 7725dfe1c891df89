/** The decisions about a case, with the key and the usual reasons of each. */
import type { CaseDisposition } from '../../../../src/kit/client/api-types.ts';
import type { Level } from '../../parts/show.tsx';

export type Disposition = CaseDisposition['disposition'];

export const DISPOSITIONS = [
  { name: 'fraud', key: 'f', title: 'Fraud' },
  { name: 'legitimate', key: 'l', title: 'Legitimate' },
  { name: 'unsure', key: 'u', title: 'Unsure' },
] as const satisfies readonly { name: Disposition; key: string; title: string }[];

export const DISPOSITION_LEVELS: Readonly<Record<Disposition, Level>> = {
  ...({ fraud: 'critical', legitimate: 'fine', unsure: 'unknown' } as const),
};

export const TEMPLATES: Readonly<Record<Disposition, readonly string[]>> = {
  fraud: [
    'The cardholder did not make it.',
    'The account was taken over.',
    'One device behind many accounts.',
  ],
  legitimate: ['The cardholder confirmed it.', 'It is usual for this account.'],
  unsure: ['Nobody could be reached.', 'Documents are missing.'],
};
