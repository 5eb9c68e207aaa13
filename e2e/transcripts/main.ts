/**
 * Records what the unmodified CLIs write while somebody signs in to them at the fake identity provider:
 * `tsx e2e/transcripts/main.ts --layers <data folder>/layers [--only codex] [--out FOLDER]`, as root. One file for each way that a
 * sign-in can go, every secret replaced, for tests of what reads that output.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startJailedCli } from '../clis/jailed-cli.ts';
import { startPersonBrowser } from '../clis/person-browser.ts';
import { createWorld } from '../support/world.ts';
import { GIVEN_TOKEN, SCRIPTS } from './scripts.ts';
import { toPublishable } from './publishable.ts';

const USERS = { ada: 'correct horse' };

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      layers: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string', default: 'packages/agent/src/testing-transcripts' },
    },
  });
  const { layers, only, out } = values;
  if (layers === undefined) throw new Error('Say with --layers where the CLIs are installed: <data folder>/layers.');
  mkdirSync(out, { recursive: true });
  const world = await createWorld({ users: USERS, keys: { [GIVEN_TOKEN]: 'ada' }, tokenPrefix: 'fake', tls: true });
  const browser = await startPersonBrowser(world);
  const close = async (): Promise<void> => {
    await browser.close();
    await world.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().finally(() => process.exit(1)));
  try {
    for (const script of SCRIPTS.filter(({ cli, way }) => only === undefined || `${cli}-${way}`.startsWith(only))) {
      const { layer, version } = findLayer(layers, script.cli);
      const home = mkdtempSync('/var/tmp/transcript-');
      for (const [path, content] of Object.entries(script.files ?? {})) {
        mkdirSync(join(home, path, '..'), { recursive: true });
        writeFileSync(join(home, path), content);
      }
      const cli = startJailedCli([join(layer, script.program), ...script.args], { world, home, env: script.env ?? {} });
      const fetchOnce = (url: string): Promise<unknown> =>
        startJailedCli(['curl', '-sL', '--proto', '=http', '-o', '/dev/null', url], {
          world,
          home: mkdtempSync(join(home, 'curl-')),
        }).exited;
      try {
        const person = { user: 'ada', password: USERS.ada };
        await world.behave({ deviceCodes: 'accepted', tokens: 'whole', ...script.behaviour });
        await script.play({ cli, browser, person, fetchOnce });
        const code = script.endless === true ? 'none' : await Promise.race([cli.exited, sleep(90_000, 'none')]);
        console.log(`${script.cli} ${version} ${script.way}: exit code ${code}`);
      } catch (error) {
        console.error(`${script.cli} ${script.way}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        cli.kill();
        const text = toPublishable(cli.output(), world.journal(), home);
        writeFileSync(join(out, `${script.cli}-${version}-${script.way}.txt`), text);
        rmSync(home, { recursive: true, force: true });
      }
    }
    return 0;
  } finally {
    await close();
  }
}

function findLayer(layers: string, cli: string): { layer: string; version: string } {
  const name = readdirSync(layers).findLast(
    (folder) => folder.startsWith(`${cli}-`) && !/\.(?:lock|partial)$/.test(folder),
  );
  if (name === undefined) throw new Error(`${layers} has no ${cli}: sign in to it once, or install it.`);
  const version = name.slice(cli.length + 1).replace(/-[0-9a-f]{12}$/, '');
  return { layer: join(layers, name), version };
}

process.exitCode = await main();
