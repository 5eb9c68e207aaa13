/**
 * The import rules of the house, as data. `check.ts` applies them; ARCHITECTURE.md explains them.
 * Paths are from the root, with forward slashes.
 */

export type PackageRule = {
  /** Packages of ours it may import. */
  may: readonly string[];
  /** Of those, the packages of which only types may be imported, and the files excepted. */
  typesOnly?: { readonly packages: readonly string[]; readonly except: readonly string[] };
  /** Packages from the registry it may import; all when absent. */
  registry?: readonly string[];
  /** Whether it may import Node's own modules. */
  node: boolean;
};

export const PACKAGES: Readonly<Record<string, PackageRule>> = {
  protocol: { may: [], registry: ['zod'], node: false },
  controller: {
    may: ['protocol', 'vm-manager'],
    typesOnly: {
      packages: ['vm-manager'],
      except: ['packages/controller/src/app.ts', 'packages/controller/src/create-runtime.ts'],
    },
    node: true,
  },
  'vm-manager': { may: ['protocol'], node: true },
  agent: { may: ['protocol'], node: true },
  web: { may: ['protocol'], node: false },
  cli: { may: ['protocol'], node: true },
};

export type LayerName = 'app' | 'transports' | 'use cases' | 'stores' | 'db';

/** A controller file (its path is from `packages/controller/src/`) belongs to the first layer whose pattern matches. */
export const LAYERS: readonly { name: LayerName; files: RegExp }[] = [
  { name: 'app', files: /^(?:app|main|create-runtime|doctor|check-provider-file)\.ts$/ },
  { name: 'transports', files: /^(?:http|live-view|agent-link)\// },
  { name: 'stores', files: /-(?:store|select)\.ts$|^vault\/key-store\.ts$/ },
  { name: 'db', files: /^db\// },
  { name: 'use cases', files: /^(?:session|fleet|providers|vault)\// },
];

/**
 * From the top down: a layer may import itself and those after it. Files of no layer (settings, telemetry) may be imported by all and
 * import no layer. Stores may also import those use-case files that are plain words: that reach neither a store nor the database.
 */
export const LAYER_ORDER: readonly LayerName[] = ['app', 'transports', 'use cases', 'stores', 'db'];

/** Files whose strings may hold SQL and that may import `pg`. */
export const SQL_FILES = /^packages\/controller\/src\/(?:db\/|(?:.*\/)?[\w-]+-(?:store|select)\.ts$)/;

/** The only files that may read `process.env`. */
export const ENVIRONMENT_FILES = /\/config\.ts$/;

/** The only files of the controller that may call `create…` of another folder. */
export const CONSTRUCTING_FILES = /^packages\/controller\/src\/(?:app|main|create-runtime|doctor)\.ts$/;

/** Tests and what only tests use: bound by package rules and cycles alone. */
export const TEST_FILES = /\.test\.tsx?$|\/testing[\w-]*\.ts$|\/testing\/|\.conformance\.ts$/;

/** Fewer modules than this means that the reader broke, not that the house shrank. */
export const LEAST_MODULES = 120;
