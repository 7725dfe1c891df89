/** A fault that this machine refuses: the scenario is listed as not run, and never as passed. */
export class NotRun extends Error {}
