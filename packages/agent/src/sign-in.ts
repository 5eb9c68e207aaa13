/**
 * One sign-in by its login plan, from the start of the CLI to the hand-over of what it wrote, or to a failure in words; the way to sign in
 * may change on the way. Knows no provider and no link: what it has to say goes to the outbox. It ends once; nothing that happens later
 * changes how.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Handover, LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { AnswerOutcome } from './answer-back.ts';
import { findDoubt } from './confirmation.ts';
import { readCredentialFiles } from './credential-file.ts';
import { addCredentialSecrets } from './credential-secrets.ts';
import { watchCredential } from './credential-watcher.ts';
import { createDeferred } from './deferred.ts';
import type { Desktop } from './desktop.ts';
import { explain } from './explanation.ts';
import { createFirstUse } from './first-use.ts';
import { toHandover } from './handover.ts';
import { emptyHome } from './home-folder.ts';
import { MissingProgramError } from './login-process.ts';
import { startLoginRun } from './login-run.ts';
import { createOutputTap, type OutputTap } from './output-tap.ts';
import { toPacedPlan } from './paced-plan.ts';
import { toPublicDetail } from './public-detail.ts';
import { createSecrets } from './redaction.ts';
import { readReferredDocuments } from './referred-documents.ts';
import type { Releaser } from './releaser.ts';
import { judge, type CompleteReading, type Verdict } from './verdict.ts';
import { isSameLogin } from './way-change.ts';
import { WayRun, type Answer, type WayRunOptions, type WayTrouble, type WayWorld } from './way-run.ts';

/** What a sign-in starts, reads and waits for; a simulation has another. */
export type SignInWorld = WayWorld & {
  readCredentialFiles: typeof readCredentialFiles;
  findDoubt: typeof findDoubt;
  emptyHome: typeof emptyHome;
};

export const MACHINE: SignInWorld = {
  startLoginRun,
  readCredentialFiles,
  watchCredential,
  findDoubt,
  emptyHome,
  sleep,
  pace: 1,
};

export type SignInOptions = Pick<
  WayRunOptions,
  'plan' | 'home' | 'shimDir' | 'inherited' | 'capabilities' | 'outbox' | 'log'
> & {
  /** Default: the live view. */
  mode?: Mode;
  /** Counts the ways of the session. */
  way?: number;
  /** The person agreed to a first harmless use of the login. */
  mayUse?: boolean;
  desktop: Pick<Desktop, 'displayEnv' | 'open' | 'failed'>;
  /** Ends what the sign-in started; a CLI that this ends says nothing about the sign-in. */
  releaser: Releaser;
  /** Default: the machine it runs on. */
  world?: SignInWorld;
};

export type WayChange = { way: number; mode: Mode; plan: LoginPlan };

type Phase = 'running' | 'confirming' | 'explaining' | 'handed_over' | 'failed';

/** How long a settling controller waits for a CLI whose files are complete to end. The controller itself waits 2 s. */
const SETTLE_WITHIN_MS = 1500;

export class SignIn {
  readonly #options: SignInOptions;
  readonly #world: SignInWorld;
  readonly #secrets = createSecrets();
  readonly #tap: OutputTap;
  readonly #ended = createDeferred<void>();
  readonly #firstUse = createFirstUse();
  readonly #answers = new Map<string, Promise<AnswerOutcome>>();
  #phase: Phase = 'running';
  #way: number;
  #run: WayRun;
  /** Starts and changes of the way, one after the other. */
  #changes: Promise<void>;
  #desktopFailure: string | null = null;
  #handover: Handover | null = null;
  /** The session ended, and everything with it. */
  #isReleased = false;

  /** Starts the CLI at once. */
  constructor(options: SignInOptions) {
    this.#options = options;
    this.#world = options.world ?? MACHINE;
    this.#way = options.way ?? 1;
    this.#tap = createOutputTap({ secrets: this.#secrets, post: options.outbox.post });
    options.releaser.defer('output', this.#tap.close);
    this.#run = this.#createRun(toPacedPlan(options.plan, this.#world.pace), options.mode ?? 'vm_browser');
    this.#changes = this.#run.start();
    void options.desktop.failed.then((detail) => {
      this.#desktopFailure = detail;
      if (this.#run.mode === 'vm_browser') this.#fail('browser_failed', detail);
    });
  }

  /** Gives the CLI what the person gave, once for each answer id, and says what became of it, each time. */
  async answer(answer: Answer): Promise<void> {
    const { answerId } = answer;
    const outcome = this.#answers.get(answerId) ?? this.#changes.then(() => this.#run.answer(answer));
    this.#answers.set(answerId, outcome);
    const given = await outcome;
    const { outbox } = this.#options;
    if (given.kind === 'delivered') outbox.send({ type: 'answer_delivered', answerId });
    else outbox.send({ type: 'answer_refused', answerId, words: given.words.slice(0, 300) });
  }

  /**
   * Goes on in another way. Ignored when it is not newer than the present one, or when the login is there already; the CLI runs on when it
   * is run the same way.
   */
  async changeWay(change: WayChange): Promise<void> {
    this.#changes = this.#changes.then(() => this.#change(change)).catch((error: unknown) => this.#onNotStarted(error));
    await this.#changes;
  }

  /**
   * Looks at the files now and offers what is complete, without waiting for it to stay unchanged. Files without the plan's condition for
   * success are offered never (I6): a CLI that must end with 0 is given a moment to end. Resolves with whether anything was ever offered.
   */
  async settle(): Promise<boolean> {
    await this.#firstUse.withoutWaiting(async () => {
      await this.#look();
      if (this.#phase === 'running' && (await this.#areFilesComplete())) {
        await Promise.race([this.#ended.promise, this.#world.sleep(SETTLE_WITHIN_MS * this.#world.pace)]);
      }
      // The CLI is being asked for its word, which has a time limit of its own: the login is there.
      if (this.#is('confirming')) await this.#ended.promise;
    });
    if (this.#handover) this.#options.outbox.send(this.#handover);
    return this.#handover !== null;
  }

  #is(phase: Phase): boolean {
    return this.#phase === phase;
  }

  #createRun(plan: LoginPlan, mode: Mode): WayRun {
    const run: WayRun = new WayRun({
      ...this.#options,
      ...{ plan, mode, tap: this.#tap, secrets: this.#secrets, world: this.#world },
      onChange: () => void this.#look(),
      onTrouble: (trouble) => this.#onTrouble(run, trouble),
    });
    this.#options.releaser.defer('way to sign in', () => {
      this.#isReleased = true;
      return run.stop();
    });
    return run;
  }

  async #change({ way, mode, plan: given }: WayChange): Promise<void> {
    const { log, home, outbox } = this.#options;
    const plan = toPacedPlan(given, this.#world.pace);
    if (way <= this.#way || this.#phase !== 'running' || (await this.#areFilesComplete())) return;
    this.#way = way;
    log('way to sign in changed', { mode });
    if (isSameLogin(this.#run, { mode, plan })) await this.#run.present(mode);
    else {
      const before = this.#run;
      this.#run = this.#createRun(plan, mode);
      await before.stop();
      for (const matter of ['offer', 'prompt_shown', 'url_opened'] as const) outbox.forget(matter);
      await this.#world.emptyHome(home);
      await this.#run.start();
    }
    if (mode === 'vm_browser' && this.#desktopFailure !== null) this.#fail('browser_failed', this.#desktopFailure);
  }

  #onTrouble(run: WayRun, trouble: WayTrouble): void {
    switch (trouble.kind) {
      case 'not_started':
        return this.#onNotStarted(trouble.error);
      case 'browser_failed':
        return this.#fail('browser_failed', toWords(trouble.error));
      case 'nothing_shown': {
        const prompt = run.findOpenPrompt();
        const { timeoutSeconds } = run.plan.login.url;
        if (prompt !== null) return this.#fail('unexpected_prompt', toPublicDetail(prompt, this.#secrets));
        return void this.#explain('cli_no_url', `none within ${timeoutSeconds} s`);
      }
      case 'rpc_error':
        return void this.#explain('cli_crashed', toPublicDetail(trouble.words, this.#secrets), trouble.words);
      case 'code_expired':
        return void this.#expire();
    }
  }

  #onNotStarted(error: unknown): void {
    if (!(error instanceof MissingProgramError)) return this.#fail('vm_start_failed', toWords(error));
    this.#options.capabilities.miss('cli', `${error.message} is not there or cannot be run`);
    this.#fail('cli_missing', error.message);
  }

  /** Only what nobody used: a login that is complete is waited for. */
  async #expire(): Promise<void> {
    if (!(await this.#areFilesComplete())) this.#fail('code_expired', 'no detail');
  }

  /** Judges by the files as they are now; at most one judgement ends the sign-in. */
  async #look(): Promise<void> {
    const run = this.#run;
    const { home } = this.#options;
    const { plan } = run;
    // Taken before the files are read: files read while the CLI still ran are no evidence about its end.
    const { exit, isRpcDone, isFinal } = run;
    try {
      const readings = await this.#world.readCredentialFiles(home, plan.credential.files);
      for (const reading of readings)
        if (reading.state === 'complete') addCredentialSecrets(this.#secrets, reading.document);
      if (this.#phase !== 'running' || run !== this.#run) return;
      const verdict = judge({ when: plan.success.when, exit, isRpcDone, isFinal, readings, settled: true });
      if (verdict.kind === 'complete') await this.#complete(run, verdict);
      if (verdict.kind === 'fail') this.#reject(verdict);
    } catch (error) {
      this.#fail('credential_unreadable', toWords(error), this.#phase);
    }
  }

  async #complete(run: WayRun, { readings, evidence }: Extract<Verdict, { kind: 'complete' }>): Promise<void> {
    const { home, outbox, log } = this.#options;
    const { success, credential } = run.plan;
    const all: Handover['evidence'] = [...evidence];
    let confirmed = readings;
    this.#phase = 'confirming';
    run.stopCatching();
    // One that still runs might renew its login behind our back.
    if ((success.confirm || success.use) && run.exit === null) await run.stop();
    if (success.confirm) {
      const answer = await this.#confirm(run, success.confirm);
      if ('doubt' in answer) return this.#fail('not_confirmed', answer.doubt, 'confirming');
      confirmed = answer.readings;
      all.push('cli_confirmed');
    }
    if (success.use && this.#options.mayUse) {
      const around = { env: run.env, cwd: home };
      const isAccepted = await this.#firstUse.tryOut(run.plan.program, success.use, around);
      log('first use of the login', { isAccepted });
      const after = await this.#readAgain(run);
      if (after === null) return this.#fail('not_confirmed', 'its first use ended the login', 'confirming');
      confirmed = after;
      if (isAccepted) all.push('provider_accepted');
    }
    const { readCredentialFiles: read } = this.#world;
    const findDocument = await readReferredDocuments(read, home, credential, confirmed);
    this.#handover = toHandover(credential, confirmed, all, findDocument);
    this.#phase = 'handed_over';
    outbox.post(this.#handover);
    log('credential offered', { handoverId: this.#handover.handoverId, files: confirmed.length });
    this.#end();
    // A CLI that goes on after its success is not needed any more.
    if (run.exit === null) void run.stop();
  }

  /** Reads the files again afterwards: being asked, the CLI may have renewed its login. */
  async #confirm(
    run: WayRun,
    confirm: NonNullable<LoginPlan['success']['confirm']>,
  ): Promise<{ doubt: string } | { readings: CompleteReading[] }> {
    const { plan, env } = run;
    const doubt = await this.#world.findDoubt(plan.program, confirm, { env, cwd: this.#options.home });
    if (doubt !== null) return { doubt };
    const readings = await this.#readAgain(run);
    return readings === null ? { doubt: 'its files changed while it was asked' } : { readings };
  }

  async #readAgain({ plan }: WayRun): Promise<CompleteReading[] | null> {
    const readings = await this.#world.readCredentialFiles(this.#options.home, plan.credential.files);
    const verdict = judge({ when: 'files', exit: null, readings, settled: true });
    return verdict.kind === 'complete' ? verdict.readings : null;
  }

  #reject({ code, detail, reading }: Extract<Verdict, { kind: 'fail' }>): void {
    const { outbox } = this.#options;
    if (reading) outbox.post({ type: 'credential_incomplete', path: reading.path, problem: reading.problem, detail });
    if (code !== 'cli_exited') return this.#fail(code, detail);
    void this.#explain(code, detail);
  }

  /** Fails with the cause that the CLI's output tells, or its version; with the code given when nothing does. */
  async #explain(code: FailureCode, detail: string, words = ''): Promise<void> {
    if (this.#phase !== 'running') return;
    this.#phase = 'explaining';
    const unexplained = { code, detail };
    const around = { secrets: this.#secrets, cwd: this.#options.home, pace: this.#world.pace };
    const found = await explain(this.#run, { unexplained, words, ...around });
    this.#fail(found.code, found.detail, 'explaining');
  }

  /** While the CLI is asked for its word, nothing but its answer fails the sign-in. */
  #fail(code: FailureCode, detail: string, during: Phase = 'running'): void {
    if (this.#phase !== during || this.#isReleased) return;
    const { outbox, log } = this.#options;
    this.#phase = 'failed';
    this.#tap.finish();
    outbox.post({ type: 'sign_in_failed', code, detail: detail.slice(0, 300) });
    // The detail may be words of the CLI, which the log must not hold.
    log('sign-in failed', { code });
    this.#end();
    void this.#run.stop();
  }

  #end(): void {
    this.#run.stopCatching();
    this.#ended.resolve();
  }

  async #areFilesComplete(): Promise<boolean> {
    const readings = await this.#world.readCredentialFiles(this.#options.home, this.#run.plan.credential.files);
    return readings.every(({ state }) => state === 'complete');
  }
}

function toWords(error: unknown): string {
  return error instanceof Error ? error.message : 'an unexpected error in the agent';
}
