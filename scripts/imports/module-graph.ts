/** The modules of all packages and what each import of them leads to. Knows no rule. */
import { dirname, join, normalize } from 'node:path/posix';
import { isBuiltin } from 'node:module';
import type { Import, Module } from './read-module.ts';
import { readModule } from './read-module.ts';

export type Target =
  | { kind: 'module'; path: string }
  | { kind: 'asset' }
  | { kind: 'node' }
  | { kind: 'registry'; name: string }
  /** Nothing is there. */
  | { kind: 'nothing' };

export type Edge = Import & { target: Target };
export type Node = Omit<Module, 'imports'> & { path: string; edges: readonly Edge[] };
export type ModuleGraph = ReadonlyMap<string, Node>;

const CODE = /\.(?:[cm]?[jt]sx?)$/;

/** `packages/agent/src/link.ts` → `agent`; null outside of `packages/`. */
export function packageOf(path: string): string | null {
  return /^packages\/([\w-]+)\//.exec(path)?.[1] ?? null;
}

function resolve(from: string, specifier: string, paths: ReadonlySet<string>): Target {
  if (isBuiltin(specifier)) return { kind: 'node' };
  const ours = /^@vestibule\/([\w-]+)\/(.+)$/.exec(specifier);
  if (ours !== null) {
    const path = `packages/${ours[1]}/src/${ours[2]}.ts`;
    return paths.has(path) ? { kind: 'module', path } : { kind: 'nothing' };
  }
  if (specifier.startsWith('.')) {
    const path = normalize(join(dirname(from), specifier.replace(/\?\w+$/, '')));
    if (paths.has(path)) return { kind: 'module', path };
    return CODE.test(path) || !/\.\w+$/.test(path) ? { kind: 'nothing' } : { kind: 'asset' };
  }
  const name = /^(@[\w.-]+\/[\w.-]+|[\w.-]+)(?:\/|$)/.exec(specifier)?.[1];
  return name === undefined || name.startsWith('@vestibule/') ? { kind: 'nothing' } : { kind: 'registry', name };
}

/** @param files source by path from the root */
export function createModuleGraph(files: ReadonlyMap<string, string>): ModuleGraph {
  const paths = new Set(files.keys());
  return new Map(
    [...files].map(([path, source]) => {
      const { imports, ...rest } = readModule(path, source);
      const edges = imports.map((found) => ({ ...found, target: resolve(path, found.specifier, paths) }));
      return [path, { ...rest, path, edges }];
    }),
  );
}

/** The modules that a module imports, of any kind. */
export function neighbours(graph: ModuleGraph, path: string): string[] {
  const edges = graph.get(path)?.edges ?? [];
  return edges.flatMap(({ target }) => (target.kind === 'module' ? [target.path] : []));
}

/** Everything that can be reached from `path` by imports, `path` included. */
export function reach(graph: ModuleGraph, path: string): Set<string> {
  const reached = new Set([path]);
  for (const at of reached) for (const to of neighbours(graph, at)) reached.add(to);
  return reached;
}

/** One path for each way back to where it began. */
export function findCycles(graph: ModuleGraph): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    for (const to of neighbours(graph, path)) walk(to, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return cycles;
}
