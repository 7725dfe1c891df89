/**
 * The label of a transaction that is in force: the newest one, and of several from the same moment the first by name, so `fraud`
 * before `legitimate`.
 * @param where finds the labels, named `l`, of one transaction
 * @returns a subselect of one row at most
 */
export const labelInForce = (where: string, columns = 'l.label'): string =>
  `(select ${columns} from market.labels l where ${where} order by l.labelled_at desc, l.label limit 1)`;
