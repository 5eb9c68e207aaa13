/** Runs one sign-in of a small program that stands for a CLI, in a home of its own, and keeps what the agent says of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentMessage, LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';
import { expect, onTestFinished, vi } from 'vitest';
import { createCapabilities } from './capabilities.ts';
import { createDeferred } from './deferred.ts';
import { createOutbox } from './outbox.ts';
import { createReleaser } from './releaser.ts';
import { MACHINE, SignIn, type SignInOptions } from './sign-in.ts';
import { createFolder, writeProgram } from './testing-folder.ts';
import { CREDENTIAL_PATH, createPlan, type PlanParts } from './testing-plan.ts';
import type { Answer } from './way-run.ts';

/** Shell: the login is written; the browser is opened. */
export const WRITE = `mkdir -p ~/.tool; printf '%s' '{"token":"t"}' > ~/${CREDENTIAL_PATH}`;
export const OPEN = '"$BROWSER" https://id.example/authorize?state=s';

export type OfType<T extends AgentMessage['type']> = Extract<AgentMessage, { type: T }>;

type Extras = Pick<SignInOptions, 'mayUse'> & {
  mode?: Mode;
  promptQuietMs?: number;
  toProgram?: (path: string) => string;
  /** Of the plan, beyond what a definition may say. */
  change?: (plan: LoginPlan) => void;
};

export function signIn(script: string, parts: PlanParts = {}, extras: Extras = {}) {
  const { mode = 'vm_browser', mayUse = false, toProgram = (path: string) => path, change, promptQuietMs } = extras;
  const folder = createFolder();
  const home = join(folder, 'home');
  mkdirSync(home);
  const messages: AgentMessage[] = [];
  const logged: string[] = [];
  const opened: string[] = [];
  const desktopFailed = createDeferred<string>();
  const log = (fact: string, fields = {}): void => void logged.push(`${fact} ${JSON.stringify(fields)}`);
  const outbox = createOutbox();
  outbox.attach((message) => messages.push(message));
  const releaser = createReleaser(log);
  onTestFinished(() => releaser.releaseAll());
  const program = toProgram(writeProgram(folder, script));
  const plan = createPlan(program, parts);
  change?.(plan);
  const attempt = new SignIn({
    ...{ plan, mode, mayUse, home, outbox, releaser, log },
    shimDir: join(folder, 'shim'),
    inherited: { PATH: `${join(process.execPath, '..')}:/usr/bin:/bin` },
    desktop: {
      displayEnv: { DISPLAY: ':3', XAUTHORITY: '/x' },
      failed: desktopFailed.promise,
      open: async (url) => void opened.push(url),
    },
    capabilities: createCapabilities(outbox, log),
    ...(promptQuietMs !== undefined && {
      world: { ...MACHINE, startLoginRun: (options) => MACHINE.startLoginRun({ ...options, promptQuietMs }) },
    }),
  });
  const get = <T extends AgentMessage['type']>(
    type: T,
    fits: (message: OfType<T>) => boolean = () => true,
  ): Promise<OfType<T>> =>
    vi.waitFor(
      () => {
        const found = messages.find(
          (message): message is OfType<T> => message.type === type && fits(message as OfType<T>),
        );
        expect(found, `${type} among ${messages.map((message) => message.type).join(', ')}`).toBeDefined();
        return found as OfType<T>;
      },
      { timeout: 8000, interval: 5 },
    );
  const has = (type: AgentMessage['type']): boolean => messages.some((message) => message.type === type);
  const count = (type: AgentMessage['type']): number => messages.filter((message) => message.type === type).length;
  let answers = 0;
  /** Gives an answer; what became of it: `delivered`, or the words why not. */
  const give = async (kind: Answer['kind'], text: string, tokenKind?: string): Promise<string> => {
    answers += 1;
    const answerId = `answer-${answers}`;
    await attempt.answer({ answerId, kind, text, ...(tokenKind !== undefined && { tokenKind }) });
    const outcome = messages.find(
      (message): message is OfType<'answer_delivered' | 'answer_refused'> =>
        (message.type === 'answer_delivered' || message.type === 'answer_refused') && message.answerId === answerId,
    );
    return outcome?.type === 'answer_refused' ? outcome.words : (outcome && 'delivered') || 'nothing was said';
  };
  const output = (): string => messages.map((message) => (message.type === 'output' ? message.text : '')).join('');
  const changeWay = (way: number, to: Mode, changed: PlanParts = parts): Promise<void> =>
    attempt.changeWay({ way, mode: to, plan: createPlan(program, changed) });
  return {
    ...{ attempt, home, messages, logged, opened, desktopFailed, releaser, outbox },
    ...{ get, has, count, give, output, changeWay },
  };
}
