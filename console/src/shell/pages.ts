/** The pages of the navigation: where they are, which key opens them, and who may see them. */
import type { Role } from '../api/me.ts';

export type Page = {
  readonly path: string;
  readonly name: string;
  /** `g` and this letter open it. */
  readonly key: string;
  readonly roles: readonly Role[];
  /** The path of a drawing of 16 by 16 units. */
  readonly icon: string;
};

export const PAGES: readonly Page[] = [
  {
    ...{ path: '/', name: 'Overview', key: 'o', roles: ['analyst', 'operator', 'ingest'] },
    icon: 'M2 13h12M4 13V8m4 5V3m4 10V6',
  },
  {
    ...{ path: '/transactions', name: 'Transactions', key: 't', roles: ['analyst'] },
    icon: 'M2 4h12M2 8h12M2 12h7',
  },
  {
    ...{ path: '/review', name: 'Review', key: 'r', roles: ['analyst', 'risk_officer'] },
    icon: 'M3 3h10v10H3zm2.500 5 1.800 1.800L11 6.500',
  },
  {
    ...{
      path: '/workload',
      name: 'Workload',
      key: 'p',
      roles: ['analyst', 'operator', 'risk_officer'],
    },
    icon: 'M2.500 12a6 6 0 1 1 11 0M8 9.500 11 6',
  },
  {
    ...{ path: '/dead-letters', name: 'Dead letters', key: 'd', roles: ['operator'] },
    icon: 'M2 4h12v9H2zm0 0 6 5 6-5',
  },
  {
    ...{
      path: '/corridors',
      name: 'Corridors',
      key: 'c',
      roles: ['analyst', 'operator', 'ingest'],
    },
    icon: 'M3 12c5 0 5-8 10-8m0 0-3-2m3 2-3 2',
  },
  {
    ...{
      path: '/controls',
      name: 'Controls',
      key: 's',
      roles: ['analyst', 'operator', 'risk_officer'],
    },
    icon: 'M5 4h6a4 4 0 0 1 0 8H5a4 4 0 0 1 0-8m0 2.500a1.500 1.500 0 1 0 .1 0',
  },
  {
    ...{ path: '/workers', name: 'Workers', key: 'x', roles: ['operator'] },
    icon: 'M2 3h12v4H2zm0 6h12v4H2zM4.500 5h.1m-.1 6h.1',
  },
  {
    ...{ path: '/webhooks', name: 'Webhooks', key: 'w', roles: ['operator'] },
    icon: 'M6.500 3H3v10h10V9.500M9.500 3H13v3.500M13 3 7.500 8.500',
  },
  {
    ...{ path: '/rules', name: 'Rules', key: 'u', roles: ['analyst', 'operator', 'risk_officer'] },
    icon: 'M3 3h10M3 8h6M3 13h8M12 6l2 2-2 2',
  },
  {
    ...{ path: '/backtests', name: 'Backtests', key: 'b', roles: ['analyst', 'risk_officer'] },
    icon: 'M8 2.500a5.500 5.500 0 1 1-5 3.200M3 2.500v3.500h3.500M8 5.500V8l2 1.500',
  },
  {
    ...{ path: '/lists', name: 'Lists', key: 'l', roles: ['analyst', 'operator', 'risk_officer'] },
    icon: 'M3 3.500h1m3 0h6M3 8h1m3 0h6M3 12.500h1m3 0h6',
  },
  {
    ...{
      path: '/models',
      name: 'Models',
      key: 'm',
      roles: ['analyst', 'operator', 'risk_officer'],
    },
    icon: 'M8 2v4m0 0L4 10m4-4 4 4M3 10h2v3H3zm8 0h2v3h-2z',
  },
  {
    ...{
      path: '/scorecards',
      name: 'Scorecards',
      key: 'n',
      roles: ['analyst', 'operator', 'risk_officer'],
    },
    icon: 'M2 13.500h12M3.500 11V8m3 3V5.500m3 5.500V7m3 4V2.500',
  },
  {
    ...{ path: '/audit', name: 'Audit', key: 'a', roles: ['admin', 'risk_officer'] },
    icon: 'M4 2h8v12H4zm2 4h4M6 9h4',
  },
  {
    ...{
      path: '/personal',
      name: 'Personal data',
      key: 'v',
      roles: ['admin', 'personal_data', 'risk_officer'],
    },
    icon: 'M8 3a2.500 2.500 0 1 0 .1 0M3 13c0-6 10-6 10 0z',
  },
  {
    ...{
      path: '/keys',
      name: 'Keys and sessions',
      key: 'k',
      roles: ['analyst', 'operator', 'ingest', 'risk_officer'],
    },
    icon: 'M6 10a3 3 0 1 1 0-.1M8.5 8H14v3m-2.500-3v2',
  },
];
