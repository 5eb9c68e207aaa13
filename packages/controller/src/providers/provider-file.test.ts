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

  it.each([
    ['a mistyped key', toDefinitionText({ login: 'enviroment: {}' }), 'did you mean "environment"?'],
    ['a key in the wrong block', toDefinitionText({ login: 'failures: []' }), 'belongs at the top level'],
    ['a key nobody knows', toDefinitionText({ login: 'shell: x' }), 'known here: args, io,'],
    ['a missing key', toDefinitionText().replace('  package: some-tool\n', ''), 'add "package": text'],
    ['a missing choice', toDefinitionText().replace('      format: json\n', ''), 'must be one of json, toml, yaml'],
    ['an unknown kind', toDefinitionText().replace('kind: npm', 'kind: pip'), 'must be one of npm, bundled, debian'],
    ['a value that is not offered', toDefinitionText({ login: 'io: tty' }), 'must be one of pipes, pty, json_rpc'],
    ['a broken regular expression', toDefinitionText({ login: "url: { pattern: '^(https' }" }), 'Unterminated group'],
    ['a number for text', toDefinitionText({ login: 'environment: { PORT: 80 }' }), 'put it in quotes'],
    ['a tab', toDefinitionText().replace('  kind', '\tkind'), 'no tabs'],
    ['a key given twice', toDefinitionText({ more: 'name: again' }), 'keep one of the two'],
    ['an open bracket', toDefinitionText({ aliases: '[a' }), 'a bracket, brace, quote or comma is missing'],
    ['a backslash in double quotes', toDefinitionText({ login: 'url: { pattern: "a\\d" }' }), 'use single quotes'],
    ['a reference to nothing', toDefinitionText({ more: 'vendor: *x' }), 'begins with * or & needs quotes'],
    ['an empty file', '', 'it begins with "id: "'],
  ])('has a hint what to do about %s', (_what, text, hint) => {
    const [problem] = findProblems(text);
    expect(problem?.hint).toContain(hint);
    expect(problem?.line).toBeGreaterThan(0);
  });

  it('has the line of the block that lacks a key, and of each key that is too much', () => {
    const text = toDefinitionText({
      login: 'dialog: []',
      more: 'modes: [vm_browser, device_code]\nways:\n  device_code:\n    codePatern: x',
    });
    const lineOf = (part: string): number => text.split('\n').findIndex((line) => line.includes(part)) + 1;
    const lines = Object.fromEntries(findProblems(text).map(({ path, line }) => [path, line]));
    expect(lines).toEqual({
      'login.dialog': lineOf('dialog:'),
      'ways.device_code.codePattern': lineOf('device_code:'),
      'ways.device_code.urlPattern': lineOf('device_code:'),
      'ways.device_code.codePatern': lineOf('codePatern'),
    });
  });

  it('has what does not fit together told beside everything else', () => {
    const text = toDefinitionText({
      login: 'io: json_rpc',
      more: 'modes: [vm_browser, device_code]\nsuccess: { when: rpc }\nways: { own_browser: {} }\nnmae: x',
    });
    expect(findProblems(text).map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'login.io: "json_rpc" needs requests in login.rpc',
      'modes: "device_code" needs a block ways.device_code',
      'ways.own_browser: add "own_browser" to modes, or leave this out',
      'nmae: unknown key "nmae"',
    ]);
  });

  it('with a key given twice has its other problems told too', () => {
    const paths = findProblems(toDefinitionText({ more: 'name: again', login: 'io: tty' })).map(({ path }) => path);
    expect(paths).toEqual(['login.io', '']);
  });

  it.each(['', 'just words', '- a\n- list', '42', '\u0000'])('is never thrown over: %j', (text) => {
    expect(parseProviderFile(text).ok).toBe(false);
  });
});

describe('problems in words', () => {
  it('name file, line and path, as far as they are known', () => {
    const problems = [
      { line: 3, path: 'login.io', message: 'wrong', hint: 'right' },
      { line: null, path: '', message: 'empty', hint: null },
    ];
    expect(formatProblems('tool.yaml', problems)).toBe('tool.yaml:3: login.io: wrong (right)\ntool.yaml: empty');
  });
});
