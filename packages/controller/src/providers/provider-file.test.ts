import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatProblems, parseProviderFile, type ProviderFileProblem } from './provider-file.ts';
import { toDefinitionText } from './testing-definition.ts';

const SHIPPED = fileURLToPath(new URL('../../../../providers', import.meta.url));

function findProblems(text: string): ProviderFileProblem[] {
  const result = parseProviderFile(text);
  return result.ok ? [] : result.problems;
}

describe('a provider file', () => {
  it.each(readdirSync(SHIPPED).filter((name) => name.endsWith('.yaml')))(
    'that is shipped has no problem: %s',
    (name) => {
      expect(findProblems(readFileSync(join(SHIPPED, name), 'utf8'))).toEqual([]);
    },
  );

  it('fills in what may be left out', () => {
    const result = parseProviderFile(toDefinitionText());
    expect(result).toMatchObject({
      ok: true,
      definition: { id: 'tool', modes: ['vm_browser'], success: { when: 'exit_zero' }, login: { io: 'pipes' } },
    });
  });

  it('has all its problems reported at once, each with its line and the path to it', () => {
    const text = toDefinitionText({ id: 'Not An Id', login: 'io: telepathy' })
      .replace('version: 1.2.3', 'version: latest')
      .replace('path: .tool/auth.json', 'path: ../../etc/shadow');
    const lineOf = (part: string): number => text.split('\n').findIndex((line) => line.includes(part)) + 1;
    const problems = findProblems(text);
    expect(problems.map(({ path, line }) => [path, line])).toEqual(
      expect.arrayContaining([
        ['id', lineOf('Not An Id')],
        ['install.version', lineOf('latest')],
        ['login.io', lineOf('telepathy')],
        ['credential.files.0.path', lineOf('shadow')],
      ]),
    );
    expect(problems).toHaveLength(4);
    expect(problems.find(({ path }) => path === 'install.version')?.message).toContain('pin one exact version');
  });

  it('has an unknown key named', () => {
    const [problem] = findProblems(toDefinitionText({ more: 'shell: "rm -rf"' }));
    expect(problem?.message).toContain('shell');
  });

  it('has what is missing named, with the line of what should hold it', () => {
    const text = toDefinitionText().replace('  package: some-tool\n', '');
    const [problem] = findProblems(text);
    expect(problem?.path).toBe('install.package');
  });

  it.each([
    ['a line that is no YAML', 'id: [unclosed\nname: x'],
    ['a key given twice', toDefinitionText({ more: 'id: again' })],
    ['two documents', `${toDefinitionText()}---\n${toDefinitionText()}`],
  ])('has the line of %s', (_what, text) => {
    const [problem] = findProblems(text);
    expect(problem?.line).toBeGreaterThan(0);
    expect(problem?.message).not.toBe('');
  });

  it.each(['', 'just words', '- a\n- list', '42', '\u0000'])('is never thrown over: %j', (text) => {
    expect(parseProviderFile(text).ok).toBe(false);
  });
});

describe('problems in words', () => {
  it('name file, line and path, as far as they are known', () => {
    const problems = [
      { line: 3, path: 'login.io', message: 'wrong' },
      { line: null, path: '', message: 'empty' },
    ];
    expect(formatProblems('tool.yaml', problems)).toBe('tool.yaml:3: login.io: wrong\ntool.yaml: empty');
  });
});
