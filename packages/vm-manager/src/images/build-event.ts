/** What a build of an image tells of itself, for a terminal, a log or a program. */
export const STAGES = ['base', 'node', 'kernel', 'product', 'assemble', 'root', 'archive', 'check', 'publish'] as const;
export type Stage = (typeof STAGES)[number];

export const STAGE_WORDS: Readonly<Record<Stage, string>> = {
  base: 'Debian packages',
  node: 'Node',
  kernel: 'kernel',
  product: 'agent, guest programs and browser policy',
  assemble: 'putting the tree together',
  root: 'ext4 root',
  archive: 'OCI archive',
  check: 'running what is inside',
  publish: 'publishing',
};

export type BuildEvent =
  | { type: 'stage_started'; stage: Stage }
  /** `percent` of the stage; null when unknown. */
  | { type: 'stage_progressed'; stage: Stage; percent: number | null; words: string }
  | { type: 'stage_finished'; stage: Stage; seconds: number; isCached: boolean }
  | { type: 'warning'; words: string };

export type Tell = (event: BuildEvent) => void;
