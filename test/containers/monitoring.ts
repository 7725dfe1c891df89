/** `docker compose --profile monitoring up -d` beside a minute of load: each query of each dashboard finds something. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import { DASHBOARDS, queriesOf } from '../support/dashboards.ts';
import { SETUP } from './day-load.ts';
import { openSite, type Site } from './site.ts';

const MINUTE_MS = 60_000;
const SERVICES = ['prometheus', 'alertmanager', 'grafana'];
const PROFILE = ['--profile', 'monitoring', 'up', '-d'] as const;
const KEY = ['api', 'bin/risk', 'keys', 'create', '--role', 'analyst', '--owner', 'prometheus'];

/** No model is in force on a new machine. */
const OF_MODELS = /\brisk_model_|breaker=~"model:/;

let site: Site;

type Answer<T> = { readonly data: T };

const plan = (): Plan => ({
  schedule: ['the profile monitoring is started', 'a minute of load', 'each query is asked'],
  faults: ['monitoring started'],
  run: async (stage) => {
    stage.ledger.note({ kind: 'crowded' });
    const key = await site.compose('exec', '-T', ...KEY);
    writeFileSync(join(site.root, 'deploy/prometheus/risk-api-key'), key);
    const isHad = (name: string) => !site.missing.some((image) => image.includes(name));
    await site.compose(...PROFILE, ...(site.missing.length > 0 ? SERVICES.filter(isHad) : []));
    stage.happened('monitoring started');
    const url = `http://${(await site.find('prometheus')).address}:9090/api/v1`;
    const ask = async <T>(path: string): Promise<T> => {
      const answer = await fetch(`${url}/${path}`, { signal: stage.signal });
      return ((await answer.json()) as Answer<T>).data;
    };
    const count = async (query: string) =>
      (await ask<{ result: unknown[] }>(`query?query=${encodeURIComponent(query)}`)).result.length;
    await stage.until(
      'a scrape of each process',
      async () => (await count('up == 1').catch(() => 0)) === 7,
    );
    await stage.pause(MINUTE_MS);
    await judge(stage, count);
    const { activeAlertmanagers: told } = await ask<{ activeAlertmanagers: unknown[] }>(
      'alertmanagers',
    );
    stage.bar('Alertmanagers that Prometheus tells', told.length, { exactly: 1 });
    stage.remark(
      `not started, as their images cannot be had: ${site.missing.join(', ') || 'none'}`,
    );
    await stage.load.finish();
  },
});

async function judge(
  { bar, remark }: Stage,
  count: (query: string) => Promise<number>,
): Promise<void> {
  const empty: string[] = [];
  let asked = 0;
  for (const dashboard of DASHBOARDS)
    for (const { title, text } of queriesOf(dashboard)) {
      asked += 1;
      if (!OF_MODELS.test(text) && (await count(text)) === 0)
        empty.push(`${dashboard.uid}: ${title}: ${text}`);
    }
  remark(`${asked} queries of ${DASHBOARDS.length} dashboards`);
  for (const one of empty) remark(`no series: ${one}`);
  bar('queries without a series', empty.length, { exactly: 0 });
}

export const monitoring: Scenario = {
  name: 'monitoring',
  what: 'the profile monitoring of docker-compose.yml: dashboards are filled after a minute of load',
  setup: { ...SETUP, rate: 300 },
  startServices: async (options) => {
    site = await openSite(options);
    return site.services;
  },
  plan,
};
