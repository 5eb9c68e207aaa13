/**
 * The CLI's login with all that surrounds it: prepared files, browser shim, catcher of the link or the code, dialogue, and what watches its
 * output. Tells what happens; judges nothing.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { createBrowserShim } from './browser-shim.ts';
import { toCliEnvironment, writePreparedFiles, type CliSurroundings } from './cli-environment.ts';
import { createCliOutput } from './cli-output.ts';
import { createDeviceCodeCatcher, type DeviceCode } from './device-code-catcher.ts';
import { createDialogue } from './dialogue.ts';
import { startLoginProcess, type LoginProcess, type OutputStream } from './login-process.ts';
import type { OutputTap } from './output-tap.ts';
import { createPromptWatch } from './prompt-watch.ts';
import type { Releaser } from './releaser.ts';
import { createRpcDialogue } from './rpc-dialogue.ts';
import { createUrlCatcher, findUrls, type CaughtUrl } from './url-catcher.ts';

export type LoginRun = {
  /** What the CLI runs with; the same for a question to it afterwards. */
  env: Readonly<Record<string, string>>;
  process: Pick<LoginProcess, 'exited' | 'outputEnded' | 'write' | 'writeLine' | 'endInput' | 'stop'>;
  /** No link or code is told of from now on, nor that there was none, nor a question. */
  stopCatching: () => void;
  /** The person was shown how to sign in: the CLI is expected to wait. */
  noteOffered: () => void;
  /** What the CLI wrote last, without control sequences. */
  recentOutput: () => string;
  /** The question that it asks now and nobody has answered. */
  findOpenPrompt: () => string | null;
};

/** What is looked for in the CLI's output; the time for it is that of the plan's `login.url`. */
export type Wanted =
  | { kind: 'url'; codeUrlPattern: string | undefined }
  | { kind: 'device_code'; rules: NonNullable<LoginPlan['ways']['device_code']> }
  | { kind: 'nothing' };

export type LoginRunOptions = Omit<CliSurroundings, 'shim'> & {
  plan: Pick<LoginPlan, 'program' | 'login'>;
  /** A private folder for the shim. */
  shimDir: string;
  releaser: Releaser;
  tap: Pick<OutputTap, 'open'>;
  wanted: Wanted;
  /** Once, when `url` is wanted. */
  onUrl: (caught: CaughtUrl) => void;
  /** A second link, that ends on a page with a code. */
  onCodeUrl: (url: string) => void;
  /** When `device_code` is wanted; again for each other code. */
  onDeviceCode: (found: DeviceCode) => void;
  /** What was wanted did not come in time. */
  onNothing: () => void;
  onPrompt: (text: string) => void;
  /** How long the output must be quiet before a question is one. */
  promptQuietMs?: number;
  /** How many times slower than usual the CLI is. */
  pace: number;
  /** JSON-RPC: the last request was answered with a result. */
  onRpcDone: () => void;
  onRpcError: (words: string) => void;
};

type Catcher = {
  onShim: (url: string) => void;
  onLine: (line: string) => void;
  /** A line that has not ended, and nothing follows. */
  onOpenLine: (line: string) => void;
  giveTime: () => void;
  close: () => void;
};

const RECENT_CHARS = 16 * 1024;
const PROMPT_QUIET_MS = 2000;
/** A CLI that prints its link opens it, if at all, within this time. */
const SHIM_WITHIN_MS = 1500;

/** Rejects with `MissingProgramError` when the CLI is not there. */
export async function startLoginRun(options: LoginRunOptions): Promise<LoginRun> {
  const { plan, home, inherited, displayEnv, shimDir, releaser, tap } = options;
  const { login, program } = plan;
  await writePreparedFiles(home, login.files);

  const catcher = createCatcher(options);
  releaser.defer('catcher', catcher.close);
  const shim = await createBrowserShim(shimDir, catcher.onShim);
  releaser.defer('browser shim', shim.close);
  const { onPrompt, pace, promptQuietMs = PROMPT_QUIET_MS * pace } = options;
  const prompts = createPromptWatch({ onPrompt, quietMs: promptQuietMs, onQuiet: catcher.onOpenLine });
  releaser.defer('prompt watch', prompts.close);
  const isRpc = login.io === 'json_rpc';

  const env = toCliEnvironment(login, { home, inherited, shim, displayEnv });
  /** Of ourselves: whatever the CLI asked is answered. */
  const send = (text: string): boolean => {
    prompts.onInput('\n');
    return process.write(text);
  };
  const dialogue = createDialogue(login.dialogue, (text) => void send(text));
  const rpc = createRpcDialogue({
    requests: login.rpc,
    send: (line) => void process.writeLine(line),
    onDone: options.onRpcDone,
    onError: options.onRpcError,
  });
  let recent = '';
  const onText = (text: string): void => {
    recent = (recent + text).slice(-RECENT_CHARS);
    if (!isRpc) prompts.onText(text);
    dialogue.onText(text);
  };
  const createOutput = (stream: OutputStream): ((chunk: Buffer) => void) =>
    createCliOutput({
      onRaw: tap.open({ isTerminal: stream === 'terminal' }),
      onText,
      onLine: (line) => {
        if (isRpc && stream === 'stdout') rpc.onLine(line);
        catcher.onLine(line);
      },
    });
  const process = await startLoginProcess({
    ...{ program, args: login.args, env, cwd: home, createOutput },
    io: login.io === 'pty' ? 'pty' : 'pipes',
  });
  if (isRpc) rpc.start();

  /** Of the person. */
  const heed = <T>(input: string, act: () => T): T => {
    catcher.giveTime();
    prompts.onInput(input);
    return act();
  };
  return {
    env,
    process: {
      ...process,
      write: (text) => heed(text, () => process.write(text)),
      writeLine: (line) => heed('\n', () => process.writeLine(line)),
      endInput: () => {
        prompts.close();
        process.endInput();
      },
    },
    stopCatching() {
      catcher.close();
      prompts.close();
    },
    noteOffered: prompts.onOffered,
    recentOutput: () => recent,
    findOpenPrompt: prompts.findOpen,
  };
}

function createCatcher({ plan, wanted, pace, onUrl, onCodeUrl, onDeviceCode, onNothing }: LoginRunOptions): Catcher {
  const rules = plan.login.url;
  switch (wanted.kind) {
    case 'url': {
      const catcher = createUrlCatcher({ rules, graceMs: SHIM_WITHIN_MS * pace, onUrl, onMissing: onNothing });
      const codeUrl = wanted.codeUrlPattern === undefined ? null : new RegExp(wanted.codeUrlPattern);
      const onLine = (line: string): void => {
        const found = codeUrl && findUrls(line).find((url) => codeUrl.test(url));
        if (found) onCodeUrl(found);
        catcher.offerFromOutput(line);
      };
      const { offerFromShim, giveTime, close } = catcher;
      return { onShim: offerFromShim, onLine, onOpenLine: () => undefined, giveTime, close };
    }
    case 'device_code': {
      const { timeoutSeconds } = rules;
      const { offerLine, giveTime, close } = createDeviceCodeCatcher({
        ...{ rules: wanted.rules, timeoutSeconds, onCode: onDeviceCode, onMissing: onNothing },
      });
      return { onShim: offerLine, onLine: offerLine, onOpenLine: offerLine, giveTime, close };
    }
    case 'nothing': {
      const nothing = (): void => undefined;
      return { onShim: nothing, onLine: nothing, onOpenLine: nothing, giveTime: nothing, close: nothing };
    }
  }
}
