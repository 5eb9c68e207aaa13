/** That the stored login, delivered into an empty home outside of any VM, makes the unmodified CLI say that it is signed in. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session } from '@vestibule/protocol/api';
import { GUEST } from '@vestibule/vm-manager/vm/guest';
import { createProviderLayers, toProgramPath } from '@vestibule/vm-manager/layers';
import { toDelivery } from '../../packages/controller/src/providers/delivery.ts';
import { openCredential } from '../support/database.ts';
import type { CliCheck } from './cli-checks.ts';
import { startJailedCli, toDrawn, toPlain, type JailedCli } from './jailed-cli.ts';
import { loadDefinition, type TestBed } from './test-bed.ts';

export type DeliveredCli = {
  home: string;
  /** Runs the CLI to its end; throws when that takes too long. */
  run(args: readonly string[]): Promise<{ exitCode: number | null; output: string }>;
  /** Runs it in a terminal until that is drawn, or for as long as it may take. Returns all that it drew, without blanks. */
  look(args: readonly string[], until: RegExp): Promise<string>;
  remove(): void;
};

const END_WITHIN_MS = 60_000;
const LOOK_MS = 25_000;

/** Delivers what the session stored. */
export async function deliver(bed: TestBed, session: Session): Promise<DeliveredCli> {
  const definition = loadDefinition(session.provider);
  const stored = await openCredential(bed.server.dataDir, session.sessionId);
  const files = [...stored].map(([path, content]) => ({ path, contentBase64: content.toString('base64') }));
  const home = mkdtempSync('/var/tmp/vestibule-delivered-');
  const cwd = join(home, 'project');
  mkdirSync(cwd);
  const { account } = session;
  const login = toDelivery({ definition, files, account, organization: null, isRestricted: false, home, cwd });
  for (const { path, content, mode } of login.files) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), content, { mode });
  }
  const layer = createProviderLayers({ layersDir: bed.layersDir }).find(definition);
  if (layer === null) throw new Error(`${session.provider} is not installed in ${bed.layersDir}`);
  const program = join(layer, toProgramPath(definition).slice(GUEST.layerDir.length));
  const start = (args: readonly string[], terminal: boolean): JailedCli =>
    startJailedCli([program, ...args], { world: bed.world, home, cwd, env: login.environment, terminal });
  return {
    home,
    async run(args) {
      const cli = start(args, false);
      cli.endInput();
      try {
        const exitCode = await Promise.race([cli.exited, sleep(END_WITHIN_MS, 'late' as const)]);
        if (exitCode === 'late') throw new Error(`${args.join(' ')} did not end: ${cli.output()}`);
        return { exitCode, output: toPlain(cli.output()) };
      } finally {
        cli.kill();
      }
    },
    async look(args, until) {
      const cli = start(args, true);
      try {
        await Promise.race([cli.waitForDrawn(until).catch(() => undefined), sleep(LOOK_MS)]);
        return toDrawn(cli.output());
      } finally {
        cli.kill();
        await cli.exited;
      }
    },
    remove: () => {
      // What the CLI started may still write.
      rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

/** Words of the CLI that it is signed in. Throws when it says otherwise or shows a wizard. */
export async function requireSignedIn(bed: TestBed, session: Session, check: CliCheck): Promise<string> {
  const cli = await deliver(bed, session);
  try {
    const { exitCode, output } = await cli.run(check.args);
    const said = check.says.exec(output)?.[0];
    if (exitCode !== 0 || said === undefined)
      throw new Error(`${check.args.join(' ')} ended with ${exitCode} and said: ${output}`);
    if (check.screen === undefined) return said;
    const drawn = await cli.look(check.screen.args, check.screen.ready);
    const wizard = check.screen.wizard.exec(drawn)?.[0];
    if (wizard !== undefined) throw new Error(`a wizard shows: ${wizard}\n${drawn}`);
    if (!check.screen.ready.test(drawn)) throw new Error(`the program's own screen does not come: ${drawn}`);
    return `${said}; no wizard`;
  } finally {
    cli.remove();
  }
}
