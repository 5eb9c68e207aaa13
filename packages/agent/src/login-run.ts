/**
 * The CLI's login with all that surrounds it: prepared files, browser shim, URL catcher, dialogue. Tells what happens; judges nothing.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { createBrowserShim } from './browser-shim.ts';
import { toCliEnvironment, writePreparedFiles, type CliSurroundings } from './cli-environment.ts';
import { createCliOutput } from './cli-output.ts';
import { createDialogue } from './dialogue.ts';
import { startLoginProcess, type LoginProcess } from './login-process.ts';
import type { Releaser } from './releaser.ts';
import { createUrlCatcher, type CaughtUrl } from './url-catcher.ts';

export type LoginRun = {
  /** What the CLI runs with; the same for a question to it afterwards. */
  env: Readonly<Record<string, string>>;
  process: LoginProcess;
  /** No URL is told of from now on, nor that there was none. */
  stopCatching: () => void;
};

export type LoginRunOptions = Omit<CliSurroundings, 'shim'> & {
  plan: Pick<LoginPlan, 'program' | 'login'>;
  /** A private folder for the shim. */
  shimDir: string;
  releaser: Releaser;
  /** One of these two is called, once. */
  onUrl: (caught: CaughtUrl) => void;
  onNoUrl: () => void;
};

/** Rejects with `MissingProgramError` when the CLI is not there. */
export async function startLoginRun(options: LoginRunOptions): Promise<LoginRun> {
  const { plan, home, inherited, displayEnv, shimDir, releaser, onUrl, onNoUrl } = options;
  const { login, program } = plan;
  await writePreparedFiles(home, login.files);

  const catcher = createUrlCatcher({ rules: login.url, onUrl, onMissing: onNoUrl });
  releaser.defer('url catcher', catcher.close);
  const shim = await createBrowserShim(shimDir, catcher.offerFromShim);
  releaser.defer('browser shim', shim.close);

  const env = toCliEnvironment(login, { home, inherited, shim, displayEnv });
  const dialogue = createDialogue(login.dialogue, (text) => process.write(text));
  const listener = { onText: dialogue.onText, onLine: catcher.offerFromOutput };
  const process = await startLoginProcess({
    program,
    args: login.args,
    io: login.io === 'pty' ? 'pty' : 'pipes',
    env,
    cwd: home,
    createOutput: () => createCliOutput(listener),
  });
  return { env, process, stopCatching: catcher.close };
}
