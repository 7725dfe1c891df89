/** deploy/prometheus/prometheus.yml scrapes what docker-compose.yml runs, under the names that dashboards ask for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { DASHBOARDS } from '../../support/dashboards.ts';
import { REPOSITORY } from '../../support/risk.ts';
import { readCompose } from './ship-files.ts';

type Scrape = {
  readonly job_name: string;
  readonly honor_labels: boolean;
  readonly authorization?: { readonly credentials_file: string };
  readonly static_configs?: readonly { readonly targets: readonly string[] }[];
  readonly dns_sd_configs?: readonly { readonly names: readonly string[]; readonly port: number }[];
};

const text = readFileSync(join(REPOSITORY, 'deploy/prometheus/prometheus.yml'), 'utf8');
const { scrape_configs: scrapes }: { scrape_configs: readonly Scrape[] } = parse(text);

it('asks each role of docker-compose.yml at its port, and APIs with a key', () => {
  const { services } = readCompose();
  const [api, worker, trainer] = ['risk-api', 'risk-worker', 'risk-trainer'].map((name) =>
    scrapes.find(({ job_name: job }) => job === name),
  );
  expect(api?.static_configs?.map(({ targets }) => targets)).toEqual([['api:8080']]);
  expect(api?.authorization?.credentials_file).toBeDefined();
  const port = Number(services['worker']?.environment?.['RISK_WORKER_PORT']);
  expect(worker?.dns_sd_configs).toEqual([expect.objectContaining({ names: ['worker'], port })]);
  expect(worker?.authorization).toBeUndefined();
  expect(trainer?.static_configs?.map(({ targets }) => targets)).toEqual([[`trainer:${port}`]]);
  expect(services['trainer']?.environment?.['RISK_WORKER_PORT']).toBe(port);
  // A target's own market would otherwise be renamed.
  expect(scrapes.map((one) => one.honor_labels)).toEqual([true, true, true]);
});

it('has each job that a dashboard names', () => {
  const asked = JSON.stringify(DASHBOARDS).matchAll(/job=\\"([\w-]+)\\"/g);
  const jobs = new Set([...asked].map(([, job]) => job));
  expect(jobs.size).toBeGreaterThan(0);
  expect([...jobs].filter((job) => !scrapes.some(({ job_name: name }) => name === job))).toEqual(
    [],
  );
});
