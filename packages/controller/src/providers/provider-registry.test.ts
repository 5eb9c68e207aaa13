import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadProviders, ProviderFilesError } from './provider-registry.ts';
import { toDefinitionText } from './testing-definition.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function addFolder(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, name);
  mkdirSync(folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

describe('the provider registry', () => {
  it('resolves an id and its aliases to one canonical id', () => {
    const folder = addFolder('shipped', { 'codex.yaml': toDefinitionText({ id: 'codex', aliases: '[codex_cli]' }) });
    const registry = loadProviders([folder]);
    expect(registry.find('codex_cli')?.definition.id).toBe('codex');
    expect(registry.get('codex')).toBe(registry.get('codex_cli'));
    expect(registry.find('codex')?.folder).toBe(folder);
  });

  it('lists providers by name and reads nothing but definition files', () => {
    const folder = addFolder('shipped', {
      'a.yaml': toDefinitionText({ id: 'a1', name: 'Zebra' }),
      'b.yml': toDefinitionText({ id: 'b1', name: 'Ant' }),
      'README.md': 'not: [a definition',
    });
    expect(
      loadProviders([folder])
        .list()
        .map(({ definition }) => definition.name),
    ).toEqual(['Ant', 'Zebra']);
  });

  it('lets the operator’s file win over a shipped one of the same id', () => {
    const shipped = addFolder('shipped', { 'tool.yaml': toDefinitionText({ name: 'Shipped' }) });
    const own = addFolder('own', { 'mine.yaml': toDefinitionText({ name: 'Own' }) });
    const registry = loadProviders([shipped, own]);
    expect(registry.list()).toHaveLength(1);
    expect(registry.get('tool')).toMatchObject({ definition: { name: 'Own' }, folder: own });
  });

  it('reports every problem of every file in one error', () => {
    const folder = addFolder('shipped', {
      'one.yaml': toDefinitionText({ id: 'Bad Id' }),
      'two.yaml': 'id: [unclosed',
    });
    const load = (): unknown => loadProviders([folder]);
    expect(load).toThrow(ProviderFilesError);
    expect(load).toThrow(/one\.yaml:1: id: [^]*two\.yaml:1/);
  });

  it('refuses an alias that names another provider', () => {
    const folder = addFolder('shipped', {
      'one.yaml': toDefinitionText({ id: 'one', aliases: '[shared]' }),
      'two.yaml': toDefinitionText({ id: 'two', aliases: '[shared]' }),
    });
    expect(() => loadProviders([folder])).toThrow('"shared" names both one and two');
  });

  it('says of an unknown provider where the known ones are listed', () => {
    const registry = loadProviders([addFolder('shipped', { 'tool.yaml': toDefinitionText() })]);
    expect(registry.find('constructor')).toBeNull();
    expect(() => registry.get('nope')).toThrow(expect.objectContaining({ code: 'unknown_provider' }));
  });

  it('hides what is not offered here from every look-up', () => {
    const folder = addFolder('shipped', { 'tool.yaml': toDefinitionText({ aliases: '[other]' }) });
    const registry = loadProviders([folder], { isOffered: () => false });
    expect([registry.list(), registry.find('tool'), registry.find('other')]).toEqual([[], null, null]);
  });
});
