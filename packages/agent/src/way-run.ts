/**
 * One way to sign in, from the start of the CLI (or the wait for a token) to its end: makes the offers, opens the page where the person
 * signs in within the VM, and brings the person's answers to the CLI. Judges nothing; `sign-in.ts` asks it what became of the CLI.
 */
import type { ControllerMessage, LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Offer } from '@vestibule/protocol/offer';
import type { Mode } from '@vestibule/protocol/session';
import { ALREADY_GIVEN, AnswerBack, DELIVERED, NOT_RUNNING, refuse, type AnswerOutcome } from './answer-back.ts';
import type { Capabilities } from './capabilities.ts';
import { toExitWords, type ChildExit } from './child.ts';
import { writePreparedFiles, type CliSurroundings } from './cli-environment.ts';
import type { watchCredential } from './credential-watcher.ts';
import type { Desktop } from './desktop.ts';
import type { DeviceCode } from './device-code-catcher.ts';
import type { Log } from './log.ts';
import { assertProgram } from './login-process.ts';
import type { LoginRun, LoginRunOptions, Wanted } from './login-run.ts';
import { toBrowserOffer, toDeviceOffer, toTokenOffer, type CaughtLinks } from './offer-maker.ts';
import type { Outbox } from './outbox.ts';
import type { OutputTap } from './output-tap.ts';
import type { Secrets } from './redaction.ts';
import { createReleaser } from './releaser.ts';
import { findTokenProblem, toTokenPlan } from './token-plan.ts';
import { toOrigin, type UrlSource } from './url-catcher.ts';

export type Answer = Omit<Extract<ControllerMessage, { type: 'answer' }>, 'type'>;

/** What goes wrong besides the CLI's own end. */
export type WayTrouble =
  | { kind: 'not_started'; error: unknown }
  | { kind: 'nothing_shown' }
  | { kind: 'browser_failed'; error: unknown }
  | { kind: 'rpc_error'; words: string }
  | { kind: 'code_expired' };

/** What a way starts, watches and waits for; a simulation has another. */
export type WayWorld = {
  startLoginRun: (options: LoginRunOptions) => Promise<LoginRun>;
  watchCredential: typeof watchCredential;
  sleep: (ms: number) => Promise<unknown>;
  /** How many times slower than usual it is, at least 1. */
  pace: number;
};

export type WayRunOptions = {
  plan: LoginPlan;
  mode: Mode;
  home: string;
  shimDir: string;
  inherited: CliSurroundings['inherited'];
  desktop: Pick<Desktop, 'displayEnv' | 'open'>;
  capabilities: Capabilities;
  outbox: Outbox;
  tap: OutputTap;
  secrets: Secrets;
  world: WayWorld;
  log: Log;
  /** The files, the CLI's end or its word may decide now. */
  onChange: () => void;
  onTrouble: (trouble: WayTrouble) => void;
};

/** For the files that a CLI writes right after its word that it is signed in. */
const FILES_WITHIN_MS = 5000;
/** The CLI notices by itself that its code has expired, and says it better. */
const EXPIRY_GRACE_MS = 15_000;
const DEVICE_CODE_MIN_CHARS = 4;

const NOT_READY = refuse('The sign-in page is not there yet. Wait a moment and try again.');

export class WayRun {
  readonly #options: WayRunOptions;
  readonly #releaser;
  readonly #back: AnswerBack;
  #plan: LoginPlan;
  #mode: Mode;
  #run: LoginRun | null = null;
  #exit: ChildExit | null = null;
  #isRpcDone = false;
  #isFinal = false;
  #isStopped = false;
  #links: (CaughtLinks & { from: UrlSource }) | null = null;
  #codeUrl: string | null = null;
  #offer: Offer | null = null;
  #isOpened = false;
  #hasToken = false;
  #expiry: NodeJS.Timeout | undefined;

  constructor(options: WayRunOptions) {
    this.#options = options;
    this.#plan = options.plan;
    this.#mode = options.mode;
    this.#releaser = createReleaser(options.log);
    this.#back = new AnswerBack(options.secrets, options.log);
  }

  /** With the parts of the token's kind, once the person gave one. */
  get plan(): LoginPlan {
    return this.#plan;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** Null while the CLI runs, or was ended by us. */
  get exit(): ChildExit | null {
    return this.#exit;
  }

  get isRpcDone(): boolean {
    return this.#isRpcDone;
  }

  /** Nothing more is to come. */
  get isFinal(): boolean {
    return this.#isFinal;
  }

  get wasOffered(): boolean {
    return this.#offer !== null;
  }

  get env(): Readonly<Record<string, string>> {
    const { inherited, home } = this.#options;
    return this.#run?.env ?? { ...inherited, ...this.#plan.login.environment, HOME: home };
  }

  recentOutput(): string {
    return this.#run?.recentOutput() ?? '';
  }

  findOpenPrompt(): string | null {
    return this.#run?.findOpenPrompt() ?? null;
  }

  /** The CLI ended, and all that it wrote was read and passed on. */
  async outputEnded(): Promise<void> {
    await this.#run?.process.outputEnded;
    this.#options.tap.finish();
  }

  /** Rejects never: what keeps it from starting is a trouble. */
  async start(): Promise<void> {
    try {
      if (this.#mode !== 'token') return await this.#launch();
      await assertProgram(this.#plan.program);
      this.#options.capabilities.have('cli');
      this.#post(toTokenOffer(), { from: 'output', origin: '' });
    } catch (error) {
      this.#trouble({ kind: 'not_started', error });
    }
  }

  /** Shows the same sign-in at another place: the live view, or the person's own browser. */
  async present(mode: Mode): Promise<void> {
    this.#mode = mode;
    await this.#showLinks();
  }

  /** To be called once for each answer id. */
  async answer({ kind, text, tokenKind }: Answer): Promise<AnswerOutcome> {
    const { secrets } = this.#options;
    switch (kind) {
      case 'line': {
        const line = text.replace(/[\r\n]+$/, '');
        if (!line.includes(' ')) secrets.add(line);
        return this.#run?.process.writeLine(line) ? DELIVERED : NOT_RUNNING;
      }
      case 'keys':
        // What is pasted at once may be a secret, and a terminal shows it again.
        if (!/\s/.test(text.trim())) secrets.add(text);
        return this.#run?.process.write(this.#toKeys(text)) ? DELIVERED : NOT_RUNNING;
      case 'callback':
      case 'code':
        if (this.#offer === null || this.#links === null) return NOT_READY;
        return this.#back.take(text, this.#offer, this.#exit === null ? this.#run : null);
      case 'token':
        return this.#takeToken(text.trim(), tokenKind);
    }
  }

  stopCatching(): void {
    clearTimeout(this.#expiry);
    this.#run?.stopCatching();
  }

  /** Ends what this way started; a CLI that this ends says nothing about the sign-in. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#expiry);
    await this.#releaser.releaseAll();
    this.#options.tap.finish();
  }

  async #launch(): Promise<void> {
    const { world, home, shimDir, inherited, desktop, capabilities, outbox, secrets, tap } = this.#options;
    const plan = this.#plan;
    if (plan.success.when !== 'exit_zero') {
      const specs = plan.credential.files;
      const watcher = world.watchCredential({ home, specs, onSettled: () => this.#change() });
      this.#releaser.defer('credential watcher', watcher.close);
    }
    const run = await world.startLoginRun({
      ...{ plan, home, shimDir, inherited, displayEnv: desktop.displayEnv, releaser: this.#releaser, tap },
      wanted: this.#toWanted(),
      pace: world.pace,
      onUrl: ({ url, from }) => {
        this.#links = { url, from, codeUrl: this.#codeUrl };
        void this.#showLinks();
      },
      onCodeUrl: (url) => this.#takeCodeUrl(url),
      onDeviceCode: (found) => this.#showDeviceCode(found),
      onNothing: () => this.#trouble({ kind: 'nothing_shown' }),
      onPrompt: (text) => {
        if (!this.#isStopped) outbox.post({ type: 'prompt_shown', text: secrets.redact(text).slice(0, 300) });
      },
      onRpcDone: () => this.#onRpcDone(),
      onRpcError: (words) => this.#trouble({ kind: 'rpc_error', words }),
    });
    this.#run = run;
    this.#releaser.defer('cli', run.process.stop);
    capabilities.have('cli');
    run.process.exited.then(
      (exit) => this.#onExit(exit),
      (error: unknown) => this.#trouble({ kind: 'not_started', error }),
    );
  }

  #toWanted(): Wanted {
    const { device_code: rules, own_browser: ownBrowser } = this.#plan.ways;
    switch (this.#mode) {
      case 'vm_browser':
      case 'own_browser':
        return { kind: 'url', codeUrlPattern: ownBrowser?.codeUrlPattern };
      case 'device_code':
        return rules === undefined ? { kind: 'nothing' } : { kind: 'device_code', rules };
      case 'token':
        return { kind: 'nothing' };
    }
  }

  /** Where there is no terminal that would do it, the Enter key ends a line. */
  #toKeys(text: string): string {
    return this.#plan.login.io === 'pty' ? text : text.replaceAll(/\r\n?/g, '\n');
  }

  #takeCodeUrl(codeUrl: string): void {
    if (this.#codeUrl !== null) return;
    this.#codeUrl = codeUrl;
    if (this.#links === null) return;
    this.#links.codeUrl = codeUrl;
    void this.#showLinks();
  }

  async #showLinks(): Promise<void> {
    const { desktop, outbox, log } = this.#options;
    const links = this.#links;
    const mode = this.#mode;
    if (links === null || this.#isStopped || (mode !== 'vm_browser' && mode !== 'own_browser')) return;
    this.#offer = toBrowserOffer(mode, links, this.#plan.ways);
    outbox.post({ type: 'offer', offer: this.#offer });
    this.#run?.noteOffered();
    if (mode === 'vm_browser' && !this.#isOpened) {
      this.#isOpened = true;
      try {
        await desktop.open(links.url);
      } catch (error) {
        this.#isOpened = false;
        if (this.#mode === 'vm_browser') this.#trouble({ kind: 'browser_failed', error });
        return;
      }
      log('sign-in page opened', { source: links.from });
    }
    outbox.post({ type: 'url_opened', from: links.from, origin: toOrigin(links.url) });
  }

  #showDeviceCode(found: DeviceCode): void {
    const { secrets, log } = this.#options;
    const { validSeconds } = this.#plan.ways.device_code ?? { validSeconds: 900 };
    secrets.add(found.code, DEVICE_CODE_MIN_CHARS);
    clearTimeout(this.#expiry);
    const expire = (): void => this.#trouble({ kind: 'code_expired' });
    this.#expiry = setTimeout(expire, validSeconds * 1000 + EXPIRY_GRACE_MS).unref();
    this.#post(toDeviceOffer(found, validSeconds), { from: 'output', origin: toOrigin(found.url) });
    log('device code shown');
  }

  #post(offer: Offer, opened: { from: UrlSource; origin: string }): void {
    if (this.#isStopped) return;
    this.#offer = offer;
    this.#options.outbox.post({ type: 'offer', offer });
    this.#run?.noteOffered();
    this.#options.outbox.post({ type: 'url_opened', ...opened });
  }

  async #takeToken(token: string, kindId: string | undefined): Promise<AnswerOutcome> {
    const { secrets, home } = this.#options;
    const kinds = this.#plan.ways.token?.kinds ?? [];
    if (this.#mode !== 'token') return refuse('This way to sign in takes no key or token.');
    const kind = kindId === undefined && kinds.length === 1 ? kinds[0] : kinds.find(({ id }) => id === kindId);
    const problem = findTokenProblem(kind, token);
    if (kind === undefined || problem !== null) return refuse(problem ?? 'There is no such kind of token.');
    if (this.#hasToken) return ALREADY_GIVEN;
    this.#hasToken = true;
    secrets.add(token);
    const { plan, line, runsCli } = toTokenPlan(this.#options.plan, kind, token);
    this.#plan = plan;
    try {
      if (runsCli) await this.#launch();
      else await writePreparedFiles(home, plan.login.files);
    } catch (error) {
      this.#trouble({ kind: 'not_started', error });
      return NOT_RUNNING;
    }
    if (!runsCli) this.#end();
    else if (line !== null) {
      const isWritten = this.#run?.process.writeLine(line) === true;
      this.#run?.process.endInput();
      if (!isWritten) return NOT_RUNNING;
    }
    return DELIVERED;
  }

  #onRpcDone(): void {
    this.#isRpcDone = true;
    this.#change();
    const { sleep, pace } = this.#options.world;
    void sleep(FILES_WITHIN_MS * pace).then(() => this.#end());
  }

  #onExit(exit: ChildExit): void {
    const { outbox, log } = this.#options;
    log('cli ended', { exit: toExitWords(exit), stopped: this.#isStopped });
    if (this.#isStopped) return;
    this.#exit = exit;
    clearTimeout(this.#expiry);
    outbox.post({ type: 'cli_exited', ...exit });
    this.#change();
  }

  #end(): void {
    this.#isFinal = true;
    this.#change();
  }

  #change(): void {
    if (!this.#isStopped) this.#options.onChange();
  }

  #trouble(trouble: WayTrouble): void {
    if (!this.#isStopped) this.#options.onTrouble(trouble);
  }
}
