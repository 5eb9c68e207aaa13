/** What OpenAPI says of a route beside its schemas. */
import { problemSchema } from '@vestibule/protocol/errors';
import { PROBLEM_TYPE } from './problem.ts';

export const TAGS = ['Providers', 'Auth sessions', 'Live view', 'Logins', 'Operator', 'Fleet', 'Server'] as const;

/** Spread into a route's schema. */
export function describeRoute(tag: (typeof TAGS)[number], summary: string) {
  return { tags: [tag], summary };
}

/** The answers of a route: the given ones, and a problem for everything else. */
export function answers<T extends object>(given: T) {
  return {
    ...given,
    default: { description: 'A problem (RFC 9457)', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
  };
}
