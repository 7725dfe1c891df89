/** Every dashboard of deploy/grafana, from wide to narrow. */
import { channels } from './channels.ts';
import { oneCorridor } from './corridor.ts';
import { cost } from './cost.ts';
import type { Dashboard } from './dashboard.ts';
import { global } from './global.ts';
import { oneMarket } from './market.ts';
import { model } from './model.ts';
import { service } from './service.ts';

export const DASHBOARDS: readonly Dashboard[] = [
  global,
  oneMarket,
  oneCorridor,
  channels,
  service,
  model,
  cost,
];
