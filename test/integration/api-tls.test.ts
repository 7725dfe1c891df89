/**
 * Goal: the API serves https by itself, to known clients alone where it is told so, and follows a renewed certificate. Method: an
 * API with certificates made by openssl, where this machine has it.
 */
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { EXIT_BAD_CONFIGURATION } from '../../src/kit/config/config.ts';
import { findOpenssl, makeCertificates } from '../support/certificates.ts';
import { runRisk } from '../support/run-risk.ts';
import { startRunningApi } from '../support/running-api.ts';
import { makeServiceFolder } from '../support/service-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const openssl = findOpenssl() ?? '';
const withTls = test.skipIf(openssl === '');
const RENEWED_MS_MAX = 30_000;
type Files = Readonly<Partial<Record<'ca' | 'cert' | 'key' | 'session', Buffer>>>;

const statusOf = (url: string, files: Files, path = '/openapi.json') => {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request(`${url}${path}`, { agent: false, ...files }, (answer) => {
    answer.resume();
    resolve(answer.statusCode);
  })
    .on('error', reject)
    .end();
  return promise;
};

/** The ticket with which a client resumes its session. */
const sessionOf = async (url: string, files: Files) => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ...files });
  const [session] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return session;
};

withTls('https is served, to clients of an authority alone, and follows a renewal', async () => {
  using folder = makeServiceFolder();
  const made = await makeCertificates(openssl, join(folder.services, 'tls'));
  const other = await makeCertificates(openssl, join(folder.services, 'other'));
  const files = `sslcert=${made.server}&sslkey=${made.key}&sslrootcert=${made.authority}`;
  await using api = await startRunningApi({ RISK_TLS: files });
  const ca = readFileSync(made.authority);
  const known = { ca, cert: readFileSync(made.server), key: readFileSync(made.key) };
  expect(api.url).toMatch(/^https:/);
  expect(await statusOf(api.url, known)).toBe(200);
  const stranger = { ca, cert: readFileSync(other.server), key: readFileSync(other.key) };
  for (const files of [{ ca }, stranger]) {
    for (const path of ['/openapi.json', '/livez/x', '/livez?/readyz', '/v1/corridors'])
      expect(await statusOf(api.url, files, path), path).toBe(403);
    // As a kubelet asks, which has no certificate.
    for (const path of ['/livez', '/readyz'])
      expect(await statusOf(api.url, files, path)).toBe(200);
    const session = await sessionOf(api.url, files);
    expect(await statusOf(api.url, { ...files, session })).toBe(403);
  }
  const session = await sessionOf(api.url, known);
  expect(await statusOf(api.url, { ca, session })).toBe(200);

  // The renewed pair is signed by another authority, which the server trusts from then on.
  for (const name of ['server', 'key', 'authority'] as const) copyFileSync(other[name], made[name]);
  const renewed = { ca: readFileSync(other.authority), cert: stranger.cert, key: stranger.key };
  const isRenewed = async () => (await statusOf(api.url, renewed).catch(() => 0)) === 200;
  await waitUntil(isRenewed, RENEWED_MS_MAX, 'the renewed certificate');
});

withTls('what is no certificate is a bad configuration, all of it at once', async () => {
  using folder = makeServiceFolder();
  const { server, authority } = await makeCertificates(openssl, join(folder.services, 'tls'));
  const told = async (value: string) => {
    const { code, stderr } = await runRisk(['api'], { RISK_TLS: value });
    return { code, said: stderr };
  };
  const bad = await told(`sslcert=${authority}&sslkey=${server}x&cert=a`);
  expect(bad.code).toBe(EXIT_BAD_CONFIGURATION);
  expect(bad.said).toMatch(/RISK_TLS.*cert is not known.*\n.*RISK_TLS.*sslkey: ENOENT/);
  const mixed = await told(`sslcert=${server}&sslkey=${authority}`);
  expect(mixed.code).toBe(EXIT_BAD_CONFIGURATION);
  expect(mixed.said).toMatch(/RISK_TLS: sslcert and sslkey: /);
});
