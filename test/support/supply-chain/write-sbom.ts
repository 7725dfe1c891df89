/**
 * `npm run sbom`: npm lists the packages of the lockfile as CycloneDX; those that are shipped are kept, without what would differ
 * between two runs (time, serial number, version of npm, name of the folder).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../risk.ts';
import { SBOM, type Sbom } from './sbom.ts';
import { shippedPackages } from './shipped-packages.ts';

const LIST = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
const MANIFEST = join(REPOSITORY, 'package.json');

const said = execFileSync('npm', LIST, { cwd: REPOSITORY, encoding: 'utf8', maxBuffer: 64e6 });
const { serialNumber: _, metadata, components, dependencies, ...rest }: Sbom = JSON.parse(said);
const { name }: { name: string } = JSON.parse(readFileSync(MANIFEST, 'utf8'));

const shipped = new Set(shippedPackages().map((one) => `${one.name}@${one.version}`));
const root = metadata.component['bom-ref'];
const kept = {
  ...rest,
  metadata: { component: { ...metadata.component, name } },
  components: components.filter((one) => shipped.has(one['bom-ref'])),
  dependencies: dependencies
    .filter(({ ref }) => ref === root || shipped.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => shipped.has(one)) })),
};
writeFileSync(SBOM, `${JSON.stringify(kept, null, 1)}\n`);
