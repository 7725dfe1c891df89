/** Chromium as RISK_CHROMIUM names it, or as Debian installs it. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const MISSING =
  'no Chromium here: install one (apt-get install chromium), or name it by RISK_CHROMIUM';

/** Keeps it from asking for anything outside of the test. */
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function findChromium(): string | undefined {
  const named = process.env['RISK_CHROMIUM'];
  return (named === undefined ? PLACES : [named]).find((path) => existsSync(path));
}

export async function launchChromium() {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(MISSING);
  // The sandbox of Chromium refuses root.
  const isRoot = process.getuid?.() === 0;
  return await chromium.launch({
    executablePath,
    args: isRoot ? [...FLAGS, '--no-sandbox'] : FLAGS,
  });
}
