/** The environment and prepared files that a CLI finds. Pure, but for writing the files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { BrowserShim } from './browser-shim.ts';

export type CliSurroundings = {
  home: string;
  inherited: Readonly<Record<string, string>>;
  shim: Pick<BrowserShim, 'binDir' | 'program'>;
  displayEnv: Readonly<Record<string, string>>;
};

/**
 * What the definition sets wins over what is inherited; what makes the sign-in work wins over both. `DISPLAY` is always set: CLIs look at
 * it to decide whether a browser can be opened, and draw nothing themselves.
 */
export function toCliEnvironment(login: LoginPlan['login'], around: CliSurroundings): Record<string, string> {
  const { home, inherited, shim, displayEnv } = around;
  const set = { ...inherited, ...login.environment };
  return {
    ...set,
    DISPLAY: ':0',
    ...displayEnv,
    HOME: home,
    BROWSER: shim.program,
    PATH: `${shim.binDir}:${set.PATH ?? ''}`,
    ...(login.io === 'pty' && { TERM: 'xterm-256color' }),
  };
}

export async function writePreparedFiles(home: string, files: LoginPlan['login']['files']): Promise<void> {
  for (const { path, content } of files) {
    const target = join(home, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await writeFile(target, content, { mode: 0o600 });
  }
}
