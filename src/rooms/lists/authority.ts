/** Roles that may change lists. */
import type { Role } from '../../kit/words/principal.ts';

/** Block and watch act alone, and so does the end of any entry; what people propose for an allow list waits. */
export const CHANGERS = ['analyst', 'operator', 'risk_officer'] as const satisfies readonly Role[];
export const APPROVERS = ['risk_officer'] as const satisfies readonly Role[];
export const READERS = CHANGERS;
