/** Test support: what a command is given, without a terminal and a command line; what it tells is kept. */
import { PassThrough } from 'node:stream';
import { Secret } from '@vestibule/protocol/secret';
import type { Cli } from './cli.ts';
import { createInterrupts } from './interrupts.ts';
import { createReport } from './report.ts';
import { openTerminal } from './terminal.ts';

export type Told = Record<string, unknown> & { type: string };

export type TestCli = {
  cli: Cli;
  /** What is typed. */
  input: PassThrough;
  /** All that was written, for a person or a program. */
  text(): string;
  /** Resolves with the first object of this type, or rejects when none came before the end. */
  told(type: string, ended: Promise<unknown>): Promise<Told>;
  close(): void;
};

export const TEST_TOKEN = 'operator-token-of-a-test-0123456789-abcdef';

export function createTestCli(server: string, isJson: boolean): TestCli {
  const input = new PassThrough();
  const interrupts = createInterrupts(() => undefined);
  const terminal = openTerminal(input, new PassThrough(), interrupts.raise);
  let text = '';
  let wake: () => void = () => undefined;
  const output = {
    write(chunk: string): void {
      text += chunk;
      wake();
    },
  };
  const find = (type: string): Told | undefined =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Told)
      .find((told) => told.type === type);
  return {
    cli: {
      config: {
        server,
        token: new Secret(TEST_TOKEN),
        dataDir: '/nowhere',
        imagesDir: '/nowhere/images',
        home: '/nowhere',
        programEnvironment: {},
        serverEnvironment: {},
      },
      flags: {},
      report: createReport(isJson, { stdout: output, stderr: output }),
      terminal,
      interrupts,
    },
    input,
    text: () => text,
    async told(type, ended) {
      let isOver = false;
      const over = ended.catch(() => undefined).then(() => (isOver = true));
      for (;;) {
        const found = find(type);
        if (found !== undefined) return found;
        if (isOver) throw new Error(`nothing told ${type}; it told:\n${text}`);
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), over]);
      }
    },
    close: () => terminal.close(),
  };
}
