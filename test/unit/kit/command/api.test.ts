/** Goal: the key that `npm start` made reaches its own API and no other address, and the command says which key it sends. */
import { expect, test } from 'vitest';
import { apiOf } from '../../../../src/kit/command/api.ts';
import { createOutput } from '../../../../src/kit/command/output.ts';
import { readConfig } from '../../../../src/kit/config/config.ts';

const OWN = 'http://127.0.0.1:8080';
const ownApi = { url: OWN, key: 'own', keyFile: '.data/api-key' };

function open(url: string, environment: Record<string, string> = {}) {
  const settings = readConfig(environment);
  if ('problems' in settings) throw new Error(settings.problems.join());
  const said: string[] = [];
  const stderr = { write: (text: string) => said.push(text) };
  const output = createOutput({ json: false, stdout: { write: () => undefined }, stderr });
  return { api: apiOf(url, { config: { ...settings.config, ownApi }, output }), said };
}
const keyOf = (url: string, environment?: Record<string, string>) => open(url, environment).api.key;

test('the own key is sent to the own API alone, and a given key everywhere', () => {
  expect(keyOf(OWN)).toBe('own');
  expect(keyOf(`${OWN}/`)).toBe('own');
  for (const url of ['http://127.0.0.1:8081', 'https://127.0.0.1:8080', 'http://risk.example:8080'])
    expect(keyOf(url)).toBeUndefined();
  expect(keyOf(OWN, { RISK_API_KEY: 'given' })).toBe('given');
});
