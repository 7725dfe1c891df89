/** Puts registered models in force by two people, for tests of workers. */
import type { TestDatabase } from './database.ts';
import { modelFile, startModelsRig } from './models-command.ts';

export type RollOut = Awaited<ReturnType<typeof startRollOut>>;

export async function startRollOut(database: TestDatabase) {
  const rig = await startModelsRig(database);
  const ann = await rig.makeKey('Ann', ['risk_officer']);
  const bob = await rig.makeKey('Bob', ['risk_officer']);
  const step = async (model: string, to: string, corridor = 'US-EG') => {
    const early = ['--override', 'a test does not wait'];
    const args = ['promote', model, '--corridor', corridor, '--to', to, ...early];
    await rig.run(bob, 'approve', (await rig.json(ann, ...args)).approval_id);
  };
  const steps = (to: string) => {
    if (to === 'shadow') return ['shadow'];
    return to === 'active' ? ['shadow', 'canary:1', 'active'] : ['shadow', to];
  };
  return {
    ...{ rig, step },
    /** Registers a small model; each mark makes another one. Resolves to its name. */
    async register(mark: number): Promise<string> {
      const path = rig.write(`m${mark}.json`, JSON.stringify(modelFile(mark)));
      return (await rig.json(ann, 'import', path, '--name', `m@${mark}`)).model;
    },
    /** Proposes and approves, step by step up to the state. */
    async put(model: string, to: string, corridor = 'US-EG') {
      for (const one of steps(to)) await step(model, one, corridor);
    },
    async rollBack(corridor = 'US-EG') {
      await rig.run(bob, 'rollback', '--corridor', corridor);
    },
    async modelIdOf(model: string): Promise<string> {
      return (await rig.json(undefined, 'show', model)).model_id;
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}
