/** The software bill of materials (CycloneDX), as far as it is read here. */
import { join } from 'node:path';
import { REPOSITORY } from '../risk.ts';

export const SBOM = join(REPOSITORY, 'deploy/sbom.cdx.json');

export type Sbom = {
  readonly serialNumber?: string;
  readonly metadata: { readonly component: Readonly<Record<string, unknown>> & Ref };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: string[] }[];
};
type Ref = { readonly 'bom-ref': string };
type Component = Ref & {
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
};
