/** Which keys a definition may have at a place, and what stands at one: read from the schema itself, for hints in words. */
import { providerDefinitionSchema } from '@vestibule/protocol/provider-definition';
import { z } from 'zod';

type Place = readonly PropertyKey[];
type JsonSchema = {
  type?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
};

let kept: JsonSchema | null = null;
/** Made at the first problem: most files have none. */
function getSchema(): JsonSchema {
  kept ??= z.toJSONSchema(providerDefinitionSchema, { io: 'input' }) as JsonSchema;
  return kept;
}

function step(schema: JsonSchema, key: PropertyKey): JsonSchema[] {
  if (typeof key === 'number') return schema.items === undefined ? [] : [schema.items];
  const property = schema.properties?.[String(key)];
  if (property !== undefined) return [property];
  return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
}

/** All that may stand at the place: of a block with kinds, each kind. */
function listSchemas(place: Place): JsonSchema[] {
  const expand = (schema: JsonSchema): JsonSchema[] => schema.anyOf ?? schema.oneOf ?? [schema];
  return place.reduce<JsonSchema[]>(
    (found, key) => found.flatMap((schema) => step(schema, key)).flatMap(expand),
    [getSchema()],
  );
}

/** Known keys of the block at `place`; empty when any key is allowed there, or none is. */
export function listKeys(place: Place): string[] {
  return [...new Set(listSchemas(place).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** `login.dialogue` for `dialogue`: a key in the wrong block is often only indented wrongly. Null when no block knows it. */
export function findKeyElsewhere(key: string): string | null {
  const walk = (schema: JsonSchema, place: string[]): string | null => {
    if (schema.properties?.[key] !== undefined) return [...place, key].join('.');
    for (const [name, child] of Object.entries(schema.properties ?? {})) {
      const found = walk(child, [...place, name]);
      if (found !== null) return found;
    }
    return null;
  };
  return walk(getSchema(), []);
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a block of keys',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

/** What must stand at the place, such as `a list`; null when it cannot be said in a few words. */
export function findExpectation(place: Place): string | null {
  const kinds = new Set(listSchemas(place).map(({ type }) => type ?? ''));
  const [kind] = kinds;
  return kinds.size === 1 && kind !== undefined ? (KINDS[kind] ?? null) : null;
}
