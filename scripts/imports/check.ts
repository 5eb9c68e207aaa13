/** Applies the import rules to a module graph. Pure: what is read and what is printed is the caller's. */
import type { Edge, ModuleGraph, Node } from './module-graph.ts';
import { findCycles, packageOf, reach } from './module-graph.ts';
import type { LayerName } from './rules.ts';
import {
  CONSTRUCTING_FILES,
  ENVIRONMENT_FILES,
  LAYERS,
  LAYER_ORDER,
  PACKAGES,
  SQL_FILES,
  TEST_FILES,
} from './rules.ts';

const CONTROLLER = 'packages/controller/src/';

/** One line for each violation: `path:line  what is wrong`. */
export function findViolations(graph: ModuleGraph): string[] {
  const inModules = [...graph.values()].flatMap((node) => {
    const inEdges = node.edges.flatMap((edge) => {
      const found = TEST_FILES.test(node.path)
        ? [findPackageProblem(node, edge)]
        : [findPackageProblem(node, edge), findLayerProblem(graph, node, edge), findConstructionProblem(node, edge)];
      return found.filter((problem) => problem !== null).map((problem) => `${node.path}:${edge.line}  ${problem}`);
    });
    return [...inEdges, ...findUseProblems(node)];
  });
  const cycles = findCycles(graph).map((cycle) => `${cycle[0]}:1  is in a cycle: ${cycle.join(' → ')}`);
  return [...inModules, ...cycles];
}

function findPackageProblem(node: Node, { specifier, target, isTypeOnly }: Edge): string | null {
  const from = packageOf(node.path) ?? '';
  const rule = PACKAGES[from];
  const isTest = TEST_FILES.test(node.path);
  if (rule === undefined) return `is in a package that has no rule: ${from}`;
  switch (target.kind) {
    case 'asset':
      return null;
    case 'nothing':
      return `imports ${specifier}, and nothing is there`;
    case 'node':
      return rule.node || isTest ? null : `imports ${specifier}, and ${from} runs without Node`;
    case 'registry':
      if (target.name === 'pg' && !isTest && !SQL_FILES.test(node.path))
        return 'imports pg, which is for stores and db/ alone';
      if (rule.registry === undefined || isTest || rule.registry.includes(target.name)) return null;
      return `imports ${target.name}; ${from} may import only ${rule.registry.join(', ')}`;
    case 'module': {
      const to = packageOf(target.path) ?? '';
      if (to === from) return null;
      if (specifier.startsWith('.')) return `reaches into ${to} by a path; import @vestibule/${to}/…`;
      if (!rule.may.includes(to)) return `imports ${to}, which ${from} may not`;
      const limit = rule.typesOnly;
      const limited = limit?.packages.includes(to) === true && !limit.except.includes(node.path);
      return limited && !isTypeOnly && !isTest ? `imports more than types of ${to}` : null;
    }
  }
}

function layerOf(path: string): LayerName | null {
  if (!path.startsWith(CONTROLLER)) return null;
  const inside = path.slice(CONTROLLER.length);
  return LAYERS.find((layer) => layer.files.test(inside))?.name ?? null;
}

/** Plain words: reaches neither a store nor the database. */
function isWords(graph: ModuleGraph, path: string): boolean {
  return [...reach(graph, path)].every((reached) => !['stores', 'db'].includes(layerOf(reached) ?? ''));
}

function findLayerProblem(graph: ModuleGraph, node: Node, { target }: Edge): string | null {
  if (target.kind !== 'module' || !node.path.startsWith(CONTROLLER)) return null;
  const from = layerOf(node.path);
  const to = layerOf(target.path);
  if (to === null) return null;
  if (from === null) return `belongs to no layer and imports one (${to})`;
  if (LAYER_ORDER.indexOf(to) >= LAYER_ORDER.indexOf(from)) return null;
  if (from === 'stores' && to === 'use cases' && isWords(graph, target.path)) return null;
  return `goes upward: ${from} may not import ${to} (${target.path})`;
}

/** The first folder below `src/`, or the file itself. */
function folderOf(path: string): string {
  return path.slice(CONTROLLER.length).split('/')[0] ?? '';
}

function findConstructionProblem(node: Node, { target, names, isTypeOnly }: Edge): string | null {
  if (target.kind !== 'module' || isTypeOnly || CONSTRUCTING_FILES.test(node.path)) return null;
  if (!node.path.startsWith(CONTROLLER) || !target.path.startsWith(CONTROLLER)) return null;
  if (folderOf(node.path) === folderOf(target.path)) return null;
  const constructor = names.find((name) => /^create[A-Z]/.test(name));
  return constructor === undefined ? null : `takes ${constructor}; only app.ts constructs what others use`;
}

function findUseProblems(node: Node): string[] {
  if (TEST_FILES.test(node.path)) return [];
  const environment = ENVIRONMENT_FILES.test(node.path) ? [] : node.environmentLines;
  const sql = SQL_FILES.test(node.path) ? [] : node.sqlLines;
  return [
    ...environment.map((line) => `${node.path}:${line}  reads process.env, which is for config.ts alone`),
    ...sql.map((line) => `${node.path}:${line}  holds SQL, which is for stores and db/ alone`),
  ];
}
