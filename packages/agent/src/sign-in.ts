/**
 * One sign-in by its login plan, from the start of the CLI to the hand-over of what it wrote, or to a failure in words. Knows no provider
 * and no link: what it has to say goes to the outbox. It ends once; nothing that happens later changes how.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Handover, LoginPlan } from '@vestibule/protocol/agent-messages';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { Capabilities } from './capabilities.ts';
import { toExitWords, type ChildExit } from './child.ts';
import type { CliSurroundings } from './cli-environment.ts';
import { findDoubt } from './confirmation.ts';
import { readCredentialFiles } from './credential-file.ts';
import { watchCredential } from './credential-watcher.ts';
import { createDeferred } from './deferred.ts';
import type { Desktop } from './desktop.ts';
import { toHandover } from './handover.ts';
import type { Log } from './log.ts';
import { MissingProgramError } from './login-process.ts';
import { startLoginRun, type LoginRun, type LoginRunOptions } from './login-run.ts';
import type { Outbox } from './outbox.ts';
import type { Releaser } from './releaser.ts';
import { toOrigin, type CaughtUrl } from './url-catcher.ts';
import { judge, type Verdict } from './verdict.ts';

/** What a sign-in starts, reads and waits for; a simulation has another. */
export type SignInWorld = {
  startLoginRun: (options: LoginRunOptions) => Promise<LoginRun>;
  readCredentialFiles: typeof readCredentialFiles;
  watchCredential: typeof watchCredential;
  findDoubt: typeof findDoubt;
  sleep: (ms: number) => Promise<unknown>;
};

const MACHINE: SignInWorld = { startLoginRun, readCredentialFiles, watchCredential, findDoubt, sleep };

export type SignInOptions = {
  plan: LoginPlan;
  home: string;
  shimDir: string;
  inherited: CliSurroundings['inherited'];
  desktop: Pick<Desktop, 'displayEnv' | 'open' | 'failed'>;
  capabilities: Capabilities;
  outbox: Outbox;
  /** Ends what the sign-in started; a CLI that this ends says nothing about the sign-in. */
  releaser: Releaser;
  log: Log;
  /** Default: the machine it runs on. */
  world?: SignInWorld;
};

type Phase = 'running' | 'confirming' | 'handed_over' | 'failed';

/** How long a settling controller waits for a CLI whose files are complete to end. The controller itself waits 2 s. */
const SETTLE_WITHIN_MS = 1500;

export class SignIn {
  readonly #options: SignInOptions;
  readonly #world: SignInWorld;
  readonly #started: Promise<void>;
  readonly #ended = createDeferred<void>();
  readonly #delivered = new Set<string>();
  #phase: Phase = 'running';
  #run: LoginRun | null = null;
  #exit: ChildExit | null = null;
  /** The agent itself ended the CLI. */
  #stopped = false;
  #handover: Handover | null = null;

  /** Starts the CLI at once. */
  constructor(options: SignInOptions) {
    this.#options = options;
    this.#world = options.world ?? MACHINE;
    this.#started = this.#start().catch((error: unknown) => this.#onNotStarted(error));
    void options.desktop.failed.then((detail) => this.#fail('browser_failed', detail));
  }

  /** Delivers the line to the CLI, once for each answer id, and says so; silent when no CLI can take it. */
  async answer(answerId: string, text: string): Promise<void> {
    await this.#started;
    if (!this.#delivered.has(answerId)) {
      if (!this.#run?.process.writeLine(text.replace(/[\r\n]+$/, ''))) return;
      this.#delivered.add(answerId);
    }
    this.#options.outbox.send({ type: 'answer_delivered', answerId });
  }

  /**
   * Looks at the files now and offers what is complete, without waiting for it to stay unchanged. Files without the plan's condition for
   * success are offered never (I6): a CLI that must end with 0 is given a moment to end. Resolves with whether anything was ever offered.
   */
  async settle(): Promise<boolean> {
    await this.#look();
    if (this.#phase === 'running' && (await this.#areFilesComplete())) {
      await Promise.race([this.#ended.promise, this.#world.sleep(SETTLE_WITHIN_MS)]);
    }
    // The CLI is being asked for its word, which has a time limit of its own: the login is there.
    if (this.#isConfirming()) await this.#ended.promise;
    if (this.#handover) this.#options.outbox.send(this.#handover);
    return this.#handover !== null;
  }

  #isConfirming(): boolean {
    return this.#phase === 'confirming';
  }

  async #start(): Promise<void> {
    const { plan, home, desktop, capabilities, releaser } = this.#options;
    if (plan.success.when === 'files') {
      const specs = plan.credential.files;
      const watcher = this.#world.watchCredential({ home, specs, onSettled: () => void this.#look() });
      releaser.defer('credential watcher', watcher.close);
    }
    const run = await this.#world.startLoginRun({
      ...this.#options,
      displayEnv: desktop.displayEnv,
      onUrl: (caught) => void this.#open(caught),
      onNoUrl: () => this.#fail('cli_no_url', `none within ${plan.login.url.timeoutSeconds} s`),
    });
    this.#run = run;
    releaser.defer('cli', () => this.#stopCli());
    // It may have failed while the CLI was being started.
    if (this.#phase === 'failed') void this.#stopCli();
    capabilities.have('cli');
    run.process.exited.then(
      (exit) => this.#onExit(exit),
      (error: unknown) => this.#onNotStarted(error),
    );
  }

  #onNotStarted(error: unknown): void {
    if (!(error instanceof MissingProgramError)) return this.#fail('vm_start_failed', toWords(error));
    this.#options.capabilities.miss('cli', `${error.message} is not there or cannot be run`);
    this.#fail('cli_missing', error.message);
  }

  async #open({ url, from }: CaughtUrl): Promise<void> {
    const { desktop, outbox, log } = this.#options;
    try {
      await desktop.open(url);
    } catch (error) {
      this.#fail('browser_failed', toWords(error));
      return;
    }
    outbox.post({ type: 'url_opened', from, origin: toOrigin(url) });
    log('sign-in page opened', { source: from });
  }

  #onExit(exit: ChildExit): void {
    const { outbox, log } = this.#options;
    log('cli ended', { exit: toExitWords(exit), stopped: this.#stopped });
    if (this.#stopped) return;
    this.#exit = exit;
    outbox.post({ type: 'cli_exited', ...exit });
    void this.#look();
  }

  /** Judges by the files as they are now; at most one judgement ends the sign-in. */
  async #look(): Promise<void> {
    const { plan, home } = this.#options;
    // Taken before the files are read: files read while the CLI still ran are no evidence about its end.
    const exit = this.#exit;
    try {
      const readings = await this.#world.readCredentialFiles(home, plan.credential.files);
      if (this.#phase !== 'running') return;
      const verdict = judge({ when: plan.success.when, exit, readings, settled: true });
      if (verdict.kind === 'complete') await this.#complete(verdict);
      if (verdict.kind === 'fail') this.#reject(verdict);
    } catch (error) {
      this.#fail('credential_unreadable', toWords(error), this.#phase);
    }
  }

  async #complete({ readings, evidence }: Extract<Verdict, { kind: 'complete' }>): Promise<void> {
    const { plan, outbox, log } = this.#options;
    let confirmed = readings;
    if (plan.success.confirm) {
      this.#phase = 'confirming';
      const answer = await this.#confirm(plan.success.confirm);
      if ('doubt' in answer) return this.#fail('not_confirmed', answer.doubt, 'confirming');
      confirmed = answer.readings;
    }
    const all: Handover['evidence'] = plan.success.confirm ? [...evidence, 'cli_confirmed'] : evidence;
    this.#handover = toHandover(plan.credential, confirmed, all);
    this.#phase = 'handed_over';
    outbox.post(this.#handover);
    log('credential offered', { handoverId: this.#handover.handoverId, files: confirmed.length });
    this.#end();
  }

  /** Reads the files again afterwards: being asked, the CLI may have renewed its login. */
  async #confirm(
    confirm: NonNullable<LoginPlan['success']['confirm']>,
  ): Promise<{ doubt: string } | Pick<Extract<Verdict, { kind: 'complete' }>, 'readings'>> {
    const { plan, home } = this.#options;
    const doubt = await this.#world.findDoubt(plan.program, confirm, { env: this.#run?.env ?? {}, cwd: home });
    if (doubt !== null) return { doubt };
    const readings = await this.#world.readCredentialFiles(home, plan.credential.files);
    const verdict = judge({ when: 'files', exit: null, readings, settled: true });
    return verdict.kind === 'complete' ? verdict : { doubt: 'its files changed while it was asked' };
  }

  #reject({ code, detail, reading }: Extract<Verdict, { kind: 'fail' }>): void {
    const { outbox } = this.#options;
    if (reading) outbox.post({ type: 'credential_incomplete', path: reading.path, problem: reading.problem, detail });
    this.#fail(code, detail);
  }

  /** While the CLI is asked for its word, nothing but its answer fails the sign-in. */
  #fail(code: FailureCode, detail: string, during: Phase = 'running'): void {
    if (this.#phase !== during || this.#stopped) return;
    const { outbox, log } = this.#options;
    this.#phase = 'failed';
    outbox.post({ type: 'sign_in_failed', code, detail: detail.slice(0, 300) });
    log('sign-in failed', { code, detail });
    this.#end();
    void this.#stopCli();
  }

  #end(): void {
    this.#run?.stopCatching();
    this.#ended.resolve();
  }

  async #stopCli(): Promise<void> {
    this.#stopped = true;
    await this.#run?.process.stop();
  }

  async #areFilesComplete(): Promise<boolean> {
    const readings = await this.#world.readCredentialFiles(this.#options.home, this.#options.plan.credential.files);
    return readings.every(({ state }) => state === 'complete');
  }
}

function toWords(error: unknown): string {
  return error instanceof Error ? error.message : 'an unexpected error in the agent';
}
