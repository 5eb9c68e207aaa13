/** Definition files that change while the controller runs. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { loadProviders, type ProviderRegistry } from './provider-registry.ts';
import { toDefinitionText } from './testing-definition.ts';

let root: string;
let shipped: string;
let own: string;
let nowMs: number;
let logLines: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
  [shipped, own] = [join(root, 'shipped'), join(root, 'own')];
  for (const folder of [shipped, own]) mkdirSync(folder);
  write(shipped, 'tool.yaml', toDefinitionText());
  nowMs = 0;
  logLines = [];
});
afterEach(() => rmSync(root, { recursive: true }));

function write(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function load(): ProviderRegistry {
  const destination = { write: (line: string) => void logLines.push(line) };
  const { logger: log } = createLogger({ level: 'info', readable: false, destination });
  return loadProviders([shipped, own], { log, nowMs: () => nowMs });
}

function laterBy(ms: number): void {
  nowMs += ms;
}

function listIds(registry: ProviderRegistry): string[] {
  return registry
    .list()
    .map(({ definition }) => definition.id)
    .toSorted();
}

describe('a definition file, without a restart', () => {
  it('that is dropped into the folder makes a provider, by its aliases too', () => {
    const registry = load();
    write(own, 'new.yaml', toDefinitionText({ id: 'new_tool', name: 'Ant', aliases: '[ant]' }));
    laterBy(1000);
    expect(listIds(registry)).toEqual(['new_tool', 'tool']);
    expect(registry.get('ant').folder).toBe(own);
    expect(logLines.join('')).toContain('"changed":["new_tool"]');
  });

  it('is not looked at more than once a second', () => {
    const registry = load();
    write(own, 'new.yaml', toDefinitionText({ id: 'new_tool' }));
    laterBy(999);
    expect(listIds(registry)).toEqual(['tool']);
  });

  it('that did not change stays the same object, whatever else changes', () => {
    const registry = load();
    const before = registry.get('tool');
    write(own, 'new.yaml', toDefinitionText({ id: 'new_tool' }));
    laterBy(1000);
    expect(registry.get('tool')).toBe(before);
  });

  it('that changed counts as it is now; what runs can still be told what it was', () => {
    const registry = load();
    write(shipped, 'tool.yaml', toDefinitionText({ name: 'Renamed' }));
    laterBy(1000);
    expect(registry.get('tool').definition.name).toBe('Renamed');
    expect(registry.recall('tool').map(({ definition }) => definition.name)).toEqual(['Renamed', 'Tool']);
  });

  it('that was removed removes its provider; what runs can still be told what it was', () => {
    const registry = load();
    rmSync(join(shipped, 'tool.yaml'));
    laterBy(1000);
    expect([registry.list(), registry.find('tool')]).toEqual([[], null]);
    expect(registry.recall('tool')).toHaveLength(1);
    expect(logLines.join('')).toContain('"removed":["tool"]');
  });

  it('of the operator gives way to the shipped one again when it is removed', () => {
    write(own, 'mine.yaml', toDefinitionText({ name: 'Own' }));
    const registry = load();
    rmSync(join(own, 'mine.yaml'));
    laterBy(1000);
    expect(registry.get('tool').definition.name).toBe('Tool');
    expect(registry.recall('tool')[0]).toBe(registry.get('tool'));
  });

  it('that was renamed goes on', () => {
    const registry = load();
    renameSync(join(shipped, 'tool.yaml'), join(shipped, 'other-name.yaml'));
    laterBy(1000);
    expect(listIds(registry)).toEqual(['tool']);
    expect(registry.fileProblems()).toEqual([]);
  });
});

describe('a definition file that became unusable', () => {
  it('goes on as it was, has its problems told, and is logged once', () => {
    const registry = load();
    write(shipped, 'tool.yaml', toDefinitionText({ login: 'io: tty' }));
    laterBy(1000);
    expect(registry.get('tool').definition.login.io).toBe('pipes');
    expect(registry.fileProblems()).toEqual([
      {
        file: join(shipped, 'tool.yaml'),
        problems: [expect.stringMatching(/^\d+: login\.io: .*must be one of pipes/)],
      },
    ]);
    write(own, 'new.yaml', toDefinitionText({ id: 'new_tool' }));
    laterBy(1000);
    expect(registry.fileProblems()).toHaveLength(1);
    expect(logLines.filter((line) => line.includes('cannot be used as it is'))).toHaveLength(1);
  });

  it('has no problem any more once it is mended', () => {
    const registry = load();
    write(shipped, 'tool.yaml', 'id: [');
    laterBy(1000);
    expect(registry.fileProblems()).toHaveLength(1);
    write(shipped, 'tool.yaml', toDefinitionText({ name: 'Mended' }));
    laterBy(1000);
    expect(registry.fileProblems()).toEqual([]);
    expect(registry.get('tool').definition.name).toBe('Mended');
  });

  it('from its first moment on is no provider, and only its problems are told', () => {
    const registry = load();
    write(own, 'new.yaml', toDefinitionText({ id: 'Not An Id' }));
    laterBy(1000);
    expect(listIds(registry)).toEqual(['tool']);
    expect(registry.fileProblems()[0]?.problems[0]).toMatch(/^1: id: /);
  });

  it('because it takes the id of a neighbour leaves the neighbour alone', () => {
    const registry = load();
    write(shipped, 'a-copy.yaml', toDefinitionText({ name: 'Copy' }));
    laterBy(1000);
    expect(registry.get('tool').definition.name).toBe('Tool');
    expect(registry.fileProblems()).toEqual([
      { file: join(shipped, 'a-copy.yaml'), problems: [expect.stringContaining('defines "tool" too')] },
    ]);
    rmSync(join(shipped, 'tool.yaml'));
    laterBy(1000);
    expect(registry.get('tool').definition.name).toBe('Copy');
    expect(registry.fileProblems()).toEqual([]);
  });

  it('because it takes an alias of another provider falls back to what it said before', () => {
    write(own, 'other.yaml', toDefinitionText({ id: 'other', aliases: '[mine]' }));
    const registry = load();
    write(own, 'other.yaml', toDefinitionText({ id: 'other', aliases: '[tool]' }));
    laterBy(1000);
    expect(registry.get('tool').definition.id).toBe('tool');
    expect(registry.get('mine').definition.id).toBe('other');
    expect(registry.fileProblems()[0]?.problems[0]).toContain('"tool" names both');
  });

  it('together with its whole folder, as when a disk goes away, loses no provider', () => {
    write(own, 'other.yaml', toDefinitionText({ id: 'other' }));
    const registry = load();
    renameSync(own, `${own}.away`);
    laterBy(1000);
    expect(listIds(registry)).toEqual(['other', 'tool']);
    expect(registry.fileProblems()).toEqual([{ file: own, problems: ['the folder cannot be read (ENOENT)'] }]);
    renameSync(`${own}.away`, own);
    laterBy(1000);
    expect(registry.fileProblems()).toEqual([]);
  });
});

describe('a definition of the operator that drops a shipped notice', () => {
  const notice = 'notice: { title: Read this, text: The words. }';

  it('is logged, for that is the act of whoever wrote it', () => {
    write(shipped, 'tool.yaml', toDefinitionText({ more: notice }));
    const registry = load();
    write(own, 'mine.yaml', toDefinitionText());
    laterBy(1000);
    expect(registry.get('tool').definition.notice).toBeUndefined();
    expect(logLines.filter((line) => line.includes('drops the notice'))).toHaveLength(1);
  });

  it('is not logged when it carries one itself', () => {
    write(shipped, 'tool.yaml', toDefinitionText({ more: notice }));
    write(own, 'mine.yaml', toDefinitionText({ more: notice }));
    load();
    expect(logLines).toEqual([]);
  });
});
