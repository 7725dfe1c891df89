/** The parts of a corridor's health: name, the points that each may add, and what it looks at; a test compares the points with the API's. */
export const HEALTH_PARTS = {
  availability: ['Availability', 40, 'transactions of the last hour that were scored within 2 s'],
  backlog: ['Backlog', 20, 'the age of the oldest entry, up to a minute'],
  failures: ['Failures', 20, 'dead letters of the last hour, up to a tenth'],
  full_service: ['Full service', 10, 'whether degradation is at level 0'],
  open: ['Open', 10, 'whether it is neither stopped nor frozen'],
} as const;
