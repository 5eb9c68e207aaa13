/**
 * Where Debian's packages are fetched from: the mirrors that this machine itself uses for the suite, else those of the recipe. And how:
 * apt's own settings of this machine for proxies and for what it makes of dates.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tryCommand } from '../system/run-command.ts';
import type { Recipe } from './recipe.ts';

export const ARCHIVE_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Lines of a sources.list for the whole suite: releases, updates, security. */
export async function findDebianSources(recipe: Recipe, aptDir = '/etc/apt'): Promise<string[]> {
  const known = parseSources(await readSources(aptDir));
  const { suite, mirrors } = recipe;
  const main = known.get(suite) ?? mirrors.main;
  const security = known.get(`${suite}-security`) ?? mirrors.security;
  const toLine = (uri: string, name: string): string => `deb [signed-by=${ARCHIVE_KEYRING}] ${uri} ${name} main`;
  return [toLine(main, suite), toLine(main, `${suite}-updates`), toLine(security, `${suite}-security`)];
}

async function readSources(aptDir: string): Promise<string> {
  const parts = join(aptDir, 'sources.list.d');
  const names = (await readdir(parts).catch(() => [])).filter((name) => /\.(?:list|sources)$/.test(name)).toSorted();
  const files = [join(aptDir, 'sources.list'), ...names.map((name) => join(parts, name))];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.join('\n\n');
}

/** The first mirror named for each suite, in either of apt's two formats. Only plain HTTP(S) ones: others need more than an address. */
export function parseSources(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const add = (uri: string, suites: readonly string[]): void => {
    if (!/^https?:\/\/[\w.:/@%~-]+$/.test(uri)) return;
    for (const suite of suites) if (!found.has(suite)) found.set(suite, uri);
  };
  for (const line of text.split('\n')) {
    const parts = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
    if (parts !== null && parts[3]?.split(/\s+/).includes('main') === true) add(parts[1] ?? '', [parts[2] ?? '']);
  }
  for (const stanza of text.replaceAll(/^#.*\n/gm, '').split(/\n\s*\n/)) {
    const field = (name: string): string[] =>
      (new RegExp(`^${name}:\\s*(.*)$`, 'mi').exec(stanza)?.[1] ?? '').split(/\s+/).filter(Boolean);
    if (!field('Types').includes('deb') || !field('Components').includes('main') || field('Enabled')[0] === 'no')
      continue;
    add(field('URIs')[0] ?? '', field('Suites'));
  }
  return found;
}

const CARRIED = /^Acquire::(?:https?::Proxy|Check-Valid-Until|Check-Date|Retries)\b/i;

/** Options of apt in the form of its configuration files; none where this machine has no apt. */
export async function findFetchOptions(): Promise<string[]> {
  const result = await tryCommand(['apt-config', 'dump']).catch(() => null);
  const carried = (result?.stdout ?? '').split('\n').filter((line) => CARRIED.test(line) && !line.endsWith('"";'));
  return carried.map((line) => line.replace(/;$/, ''));
}
