import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { checkFiles } from './file-check.ts';
import { toDefinitionText } from './testing-definition.ts';

const PROGRAM = fileURLToPath(new URL('../check-provider-file.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'vestibule-check-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [fine, broken] = [join(folder, 'fine.yaml'), join(folder, 'broken.yaml')];
writeFileSync(fine, toDefinitionText());
writeFileSync(broken, toDefinitionText({ login: 'io: tty' }).replace('name: Tool', 'nam: Tool'));

describe('checking provider files', () => {
  it('tells every problem as file:line: path: message (hint), and exits with 1', () => {
    const { exitCode, stdout } = checkFiles([fine, broken]);
    expect(exitCode).toBe(1);
    expect(stdout.split('\n')).toEqual([
      `${fine}: fine: tool (Tool), ways to sign in: vm_browser`,
      `${broken}:1: name: "name" is missing (add "name": text)`,
      `${broken}:3: nam: unknown key "nam" (did you mean "name"?)`,
      `${broken}:12: login.io: "tty" is not known here (did you mean "pty"? must be one of pipes, pty, json_rpc)`,
      '',
    ]);
  });

  it('tells the same as JSON for programs', () => {
    const { exitCode, stdout } = checkFiles(['--json', fine]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      { file: fine, provider: { id: 'tool', name: 'Tool', modes: ['vm_browser'] }, problems: [] },
    ]);
  });

  it('misses the folder of a bundled program', () => {
    const file = join(folder, 'bundled.yaml');
    writeFileSync(file, toDefinitionText().replace('kind: npm\n  package: some-tool', 'kind: bundled\n  folder: gone'));
    const { exitCode, stdout } = checkFiles([file]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('no folder "gone" beside');
  });

  it.each([[[]], [['--jsno', 'x']]])('says how it is called when called as %j, and exits with 2', (argv) => {
    const { exitCode, stderr } = checkFiles(argv);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('FILE...');
  });

  it('is a program of its own', () => {
    const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', PROGRAM, broken], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([1, checkFiles([broken]).stdout]);
  });
});
