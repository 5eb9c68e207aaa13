/** A schema's issue with a definition, in words: what is wrong, and a hint what to write instead. */
import type { z } from 'zod';
import { findNearestName } from '../nearest-name.ts';
import { findExpectation, findKeyElsewhere, listKeys } from './definition-keys.ts';

export type DefinitionProblem = {
  path: readonly PropertyKey[];
  message: string;
  /** What to do about it; null when the message says it. */
  hint: string | null;
};

type Issue = z.core.$ZodIssue;

/** `find` gives what the file has at a path; `undefined` is nothing. */
export function toProblems(issue: Issue, find: (path: readonly PropertyKey[]) => unknown): DefinitionProblem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => toUnknownKey(path, key));
  if (path.length > 0 && find(path) === undefined) return [toMissingKey(issue)];
  switch (issue.code) {
    case 'invalid_value':
      return [toWrongValue(path, find(path), issue.values)];
    case 'invalid_union':
      return [toWrongValue(path, find(path), (issue as { options?: unknown[] }).options ?? [])];
    case 'invalid_type':
      return [toWrongType(issue)];
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? issue.message, hint: 'rename this key' }];
    case 'too_small':
    case 'too_big':
      return [{ path, message: toSizeWords(issue), hint: null }];
    case 'custom':
      return [{ path, message: issue.message, hint: toPatternHint(find(path)) }];
    default:
      return [{ path, message: issue.message, hint: null }];
  }
}

/** What the engine says of a text that is no regular expression; null when it is one, so that something else is wrong. */
function toPatternHint(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  try {
    new RegExp(value).test('');
    return null;
  } catch (error) {
    const said = /: ([^:]+)$/.exec(error instanceof Error ? error.message : '')?.[1] ?? 'it cannot be read';
    return `${said}; a bracket that is meant itself needs a backslash: \\(`;
  }
}

function toUnknownKey(block: readonly PropertyKey[], key: string): DefinitionProblem {
  const known = listKeys(block);
  const nearest = findNearestName(key, known);
  const elsewhere = nearest === null ? findKeyElsewhere(key) : null;
  const hint =
    nearest !== null
      ? `did you mean "${nearest}"?`
      : elsewhere !== null
        ? `"${key}" belongs ${elsewhere === key ? 'at the top level' : `at ${elsewhere}`}: check how far the line is indented`
        : `known here: ${known.join(', ')}`;
  return { path: [...block, key], message: `unknown key "${key}"`, hint };
}

function toMissingKey(issue: Issue): DefinitionProblem {
  const name = String(issue.path.at(-1));
  const words = issue.code === 'invalid_union' || issue.code === 'invalid_value' ? toValues(issue) : null;
  const kind = findExpectation(issue.path);
  const hint = words ?? (kind === null ? `add "${name}"` : `add "${name}": ${kind}`);
  return { path: issue.path, message: `"${name}" is missing`, hint };
}

function toValues(issue: Issue): string | null {
  if (issue.code === 'invalid_value') return toOneOf(issue.values);
  return issue.code === 'invalid_union' ? toOneOf((issue as { options?: unknown[] }).options ?? []) : null;
}

function toWrongValue(path: readonly PropertyKey[], value: unknown, allowed: readonly unknown[]): DefinitionProblem {
  const given = typeof value === 'string' && value !== '' ? `"${value.slice(0, 60)}"` : 'this value';
  const nearest = typeof value === 'string' ? findNearestName(value, allowed.map(String)) : null;
  const hint = `${nearest === null ? '' : `did you mean "${nearest}"? `}${toOneOf(allowed)}`;
  return { path, message: `${given} is not known here`, hint };
}

function toOneOf(values: readonly unknown[]): string {
  return `${values.length === 1 ? 'must be' : 'must be one of'} ${values.map(String).join(', ')}`;
}

function toWrongType(issue: Extract<Issue, { code: 'invalid_type' }>): DefinitionProblem {
  const kind = findExpectation(issue.path) ?? issue.expected;
  const hint = issue.expected === 'string' ? 'put it in quotes, if text is meant' : null;
  return { path: issue.path, message: `must be ${kind}`, hint };
}

function toSizeWords(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum;
  const unit = issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : '';
  if (issue.code === 'too_small' && Number(limit) === 1 && unit !== '') return 'must not be empty';
  return `must be ${issue.code === 'too_small' ? 'at least' : 'at most'} ${limit}${unit}`;
}
