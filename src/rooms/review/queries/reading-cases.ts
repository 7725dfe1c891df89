/** What reviewers ask, bound once to its database for the API. */
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import type { CaseListParameters } from '../case.ts';
import { type CapacityParameters, readCapacity } from './capacity.ts';
import { listCases, listFinalDecisions, readCaseDetail, readCaseFile } from './cases.ts';
import { readShift, type ShiftParameters } from './shift.ts';
import { readReviewStatus } from './status.ts';

export type ReadCases = ReturnType<typeof createReadCases>;

/** Only the primary answers: a case that somebody has claimed must not look free. */
export function createReadCases({ primary, now }: Pick<Databases, 'primary' | 'now'>) {
  return {
    listCases: (parameters: CaseListParameters) => listCases(primary, parameters),
    readCase: (id: string) => readCaseDetail(primary, id),
    readCaseFile: (id: string, noteId: string) => readCaseFile(primary, id, noteId),
    readReviewStatus: () => readReviewStatus(primary, now()),
    readShift: (reviewer: string, parameters: ShiftParameters) =>
      readShift(primary, reviewer, parameters, now()),
    readCapacity: (parameters: CapacityParameters) => readCapacity(primary, parameters),
    listFinalDecisions: (after: string, limit: number) => listFinalDecisions(primary, after, limit),
  };
}
