/** Reads of the room search, for tests of all operations. */

/** @param id of a transaction */
export const readingPaths = (id: string): string[] => [
  `/v1/transactions/${id}`,
  `/v1/transactions/${id}?fields=amount&expand=labels`,
  `/v1/scores/${id}`,
  `/v1/scores/${id}?fields=verdict`,
  `/v1/scores/${id}/explanation?method=shapley`,
  `/v1/scores/${id}/habit`,
  '/v1/transactions?fields=amount,score.verdict',
];

/** Reads of parties, well and badly. */
export const PARTY_PATHS = [
  '/v1/accounts/nobody/profile',
  '/v1/accounts/acc_1/profile?at=x',
  '/v1/accounts/acc_1/profile',
  '/v1/merchants/m_1/profile',
  '/v1/merchants/nobody/profile',
  '/v1/devices/nobody/profile',
  '/v1/devices/nobody/profile?at=x',
];
